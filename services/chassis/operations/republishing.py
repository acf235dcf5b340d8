"""The command line of republishing: ``python -m services.requests republish --all [--lost] [--yes] [--json]``."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.kafka import BrokerAway, Publisher, create_topics
from services.chassis.messaging.key_sending import KeySender
from services.chassis.messaging.outgoing import Address
from services.chassis.operations import answering
from services.chassis.operations.answering import Say
from services.chassis.operations.republish import LeaseLost, Republish, Wanted
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Mongo, connect

_ALONE_SECONDS = 120.0
"""So long the relay rests after one that was killed: time to run it again."""
_LAST_ROUND_SECONDS = 15.0
"""So long may a relay take to notice that it is to rest: a third of its lease, and a send that waits for a broker."""
_TROUBLES = (BrokerAway, Unavailable, LeaseLost)


def run(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Show what would be sent again, or send it; ends with 0, 1 where some is left out, 2 where it cannot be done."""
    given = _parser(service).parse_args(words)
    found = answering.answered(given, _republish(service, settings, given), _TROUBLES)
    text = " ".join(f"{name}={value}" for name, value in found.items())
    answering.conclude(given, found, text, well=not found["left_out"])


def _parser(service: Service) -> argparse.ArgumentParser:
    parser = answering.parser(service.name, "republish", "Send again what was published, from the histories.")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--entity", metavar="ID", default="", help="of this entity")
    which.add_argument("--kind", metavar="KIND", default="", help="of this kind, such as case or team")
    which.add_argument("--all", action="store_true", help="of everything")
    parser.add_argument("--since", type=answering.instant, metavar="TIME", help="only what was recorded from then on")
    parser.add_argument("--until", type=answering.instant, metavar="TIME", help="only what was recorded before then")
    parser.add_argument("--lost", action="store_true", help="the topic was lost: the relay rests until all is sent")
    parser.add_argument("--yes", action="store_true", help="do it; without this it is only shown")
    return parser


async def _republish(service: Service, settings: Settings, given: argparse.Namespace) -> Mapping[str, Any]:
    mongo = connect(settings.mongo(service.name), settings.mongo_driver)
    say = answering.saying(given)
    wanted = Wanted(given.entity, given.kind, given.since, given.until)
    republish = Republish(mongo, service.entities, wanted, say)
    try:
        if given.yes:
            alone = _resting(mongo, settings, service, say) if given.lost else None
            await _send(service, settings, mongo, republish, alone)
        else:
            await republish.count()
    finally:
        await mongo.close()
    told = {"service": service.name, "kinds": [kind.entity_type for kind in service.entities], "dry_run": not given.yes}
    return {**told, **asdict(republish.found)}


async def _send(service: Service, settings: Settings, mongo: Mongo, republish: Republish, alone: Any) -> None:
    address = Address(settings.topic(service.name), settings.source(service.name))
    publisher = Publisher(settings.kafka)
    keys = KeySender(mongo, publisher, settings.topic("keys"), mints=False)
    try:
        if alone is None:
            await republish.send(publisher, address, keys)
            return
        async with alone as lease:
            await republish.send(publisher, address, keys, lease)
    finally:
        await publisher.stop()


@asynccontextmanager
async def _resting(mongo: Mongo, settings: Settings, service: Service, say: Say) -> AsyncIterator[Lease]:
    """The relay at rest and the topic there: what is new is sent after all that came before it."""
    lease = Lease(mongo, "relay", f"{service.name}-republish", _ALONE_SECONDS)
    if await lease.seize():
        say("the relay comes to rest")
        await asyncio.sleep(_LAST_ROUND_SECONDS)
    await create_topics(settings.kafka, {service.name: settings.topic(service.name)}, settings.topic_replicas)
    yield lease
    await lease.release()
