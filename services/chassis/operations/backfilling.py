"""The command line of a backfill: ``python -m services.notify backfill NAME [--yes] [--json]``."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.control import desired_state
from services.chassis.messaging.failures import TooManyFailures
from services.chassis.messaging.kafka import BrokerAway, Past, TopicMissing
from services.chassis.operations import answering
from services.chassis.operations.backfill import Backfill, NotNow, named
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage.leases import Lease

_LEASE_SECONDS = 30.0
_TROUBLES = (BrokerAway, Unavailable, TopicMissing, NotNow, TimeoutError, TooManyFailures)


def run(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Show what a backfill would read, or do it; ends with 0, or with 2 where it cannot be done now."""
    parser = answering.parser(service.name, "backfill", "Let a reaction that is off catch up, then turn it on.")
    parser.add_argument("reaction", help="its name, as `linli reactions list` shows it")
    parser.add_argument("--yes", action="store_true", help="do it; without this it is only shown")
    given = parser.parse_args(words)
    found = answering.answered(given, _backfill(service, settings, given), _TROUBLES)
    answering.conclude(given, found, " ".join(f"{name}={value}" for name, value in found.items()), well=True)


async def _backfill(service: Service, settings: Settings, given: argparse.Namespace) -> Mapping[str, Any]:
    container, group = open_container(service, settings), settings.group(service.name)
    topics = [settings.topic(name) for name in service.listens_to]
    try:
        async with Past(settings.kafka).open() as past:
            reaction = named(service.all_reactions, given.reaction)
            backfill = Backfill(container, past, service.all_reactions, reaction.name, group, topics)
            distance = await backfill.distance()
            workers = len((await desired_state(container.mongo, group)).members)
            told = {"service": service.name, "reaction": given.reaction, "records": distance, "workers": workers}
            if not given.yes:
                return {**told, "dry_run": True}
            lease = Lease(container.mongo, "backfill", f"{service.name}-backfill", _LEASE_SECONDS)
            read = await backfill.run(lease, answering.saying(given))
            await lease.release()
            return {**told, "dry_run": False, "read": read}
    finally:
        await container.mongo.close()
