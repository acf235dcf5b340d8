"""Republishing: sends what histories mark as published once more, in order, as the relay does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Recorded
from services.chassis.messaging.kafka import KEYS_TOPIC, BrokerAway, Publisher, Unsendable, create_topics
from services.chassis.messaging.key_sending import KeySender
from services.chassis.messaging.outgoing import Address
from services.chassis.operations.answering import CannotAnswer, Plain, Say
from services.chassis.operations.protocol import RepublishRequest
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.chassis.storage import archive
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Document, Mongo, connect

Kinds = Sequence[type[Entity[Any]]]

_ENTITIES, _EVENTS = 50, 200
_EXAMPLES = 10
_ALONE_SECONDS = 120.0
"""The relay waits this long after a run that was killed: time to run it again."""
_LAST_ROUND_SECONDS = 15.0
"""A relay notices within this time that it has to wait: a third of its lease, and a send that waits for a broker."""
_SHOW = {"history": 1, "archived": 1, "published": 1, "key": 1}


class LeaseLost(CannotAnswer):
    """Another process publishes now: records from here would come in between."""


@dataclass
class Found:
    """How many were found and sent. An entity with a gap, or that cannot be sent, is left out."""

    entities: int = 0
    events: int = 0
    sent: int = 0
    left_out: int = 0
    examples: list[str] = field(default_factory=list)

    def leave_out(self, id: str, why: str) -> None:
        """Count one, and name the first ten."""
        self.left_out += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{id}: {why}")


class Republish:
    """One pass over histories and archives, while others write, relay and read.

    Only events that the relay has sent before are sent: consumers recognise them, as after a crash of the relay.
    """

    def __init__(self, mongo: Mongo, kinds: Kinds, request: RepublishRequest, say: Say) -> None:
        self._mongo, self._kinds, self._request, self._say = mongo, kinds, request, say
        self._refused: set[str] = set()
        self._keys: dict[str, dict[str, bytes | None]] = {}
        self.found = Found()

    async def count(self) -> Found:
        """What would be sent."""
        async for _ in self._batches():
            self._say(f"{self.found.events} events of {self.found.entities} entities")
        return self.found

    async def send(self, publisher: Publisher, address: Address, keys: KeySender, alone: Lease | None = None) -> Found:
        """Send it, the keys that entities have of their own before their events; BrokerAway where not all could be.

        The next run begins again. ``alone``: only while this lease is ours, LeaseLost otherwise.
        """
        async for events in self._batches():
            if alone is not None and not await alone.acquire():
                raise LeaseLost("the relay has taken the lease again: repeat this")
            await self._send_keys(keys)
            await self._send(publisher, address, [e for e in events if e.entity_id not in self._refused])
            self._say(f"{self.found.sent} events of {self.found.entities} entities sent")
        return self.found

    async def _send_keys(self, sender: KeySender) -> None:
        """Those of all entities that were read up to now: the events of this batch are theirs."""
        for name, keys in self._keys.items():
            await sender.send_again(name, keys)
        self._keys.clear()

    async def _send(self, publisher: Publisher, address: Address, events: Sequence[Recorded]) -> None:
        outcomes = await publisher.send([address.record(event) for event in events])
        for event, error in zip(events, outcomes, strict=True):
            if isinstance(error, Unsendable):
                self._refuse(event.entity_id, str(error))
            elif error is not None:
                raise BrokerAway(f"after {self.found.sent} events one was not acknowledged: {error}")
            else:
                self.found.sent += 1

    def _refuse(self, id: str, why: str) -> None:
        if id not in self._refused:
            self._refused.add(id)
            self.found.leave_out(id, why)

    async def _batches(self) -> AsyncIterator[list[Recorded]]:
        waiting: list[Recorded] = []
        for kind in self._among():
            async for documents in self._mongo.each(kind.collection(), self._where(), _SHOW, _ENTITIES):
                for document in documents:
                    waiting += await self._events(kind.collection(), document)
                while len(waiting) >= _EVENTS:
                    yield waiting[:_EVENTS]
                    del waiting[:_EVENTS]
        if waiting:
            yield waiting

    async def _events(self, name: str, document: Document) -> list[Recorded]:
        """The published events of one entity that are included, oldest first."""
        history = await archive.whole(self._mongo, name, document)
        if [entry["version"] for entry in history] != list(range(1, len(history) + 1)):
            self.found.leave_out(document["_id"], "its history lacks versions; `linli verify` says which")
            return []
        loud = [Recorded.load(e) for e in history if e["published"] and e["version"] <= document["published"]]
        events = [event for event in loud if self._takes(event.at)]
        if events and "key" in document:
            self._keys.setdefault(name, {})[document["_id"]] = document["key"]["wrapped"]
        self.found.entities += bool(events)
        self.found.events += len(events)
        return events

    def _among(self) -> list[type[Entity[Any]]]:
        return [kind for kind in self._kinds if self._request.kind in ("", kind.entity_type)]

    def _where(self) -> Document:
        return {"_id": self._request.entity} if self._request.entity else {}

    def _takes(self, at: datetime) -> bool:
        since, until = self._request.since, self._request.until
        return (since is None or at >= since) and (until is None or at < until)


async def republish(service: Service, settings: Settings, request: RepublishRequest, say: Say) -> Plain:
    """Show what would be sent again, or send it; not clean where some is left out. LeaseLost, BrokerAway."""
    mongo = connect(settings.database(service.name), settings.mongo_driver, settings.mongo_account(service.name))
    work = Republish(mongo, service.entities, request, say)
    try:
        if request.write:
            alone = _alone(mongo, settings, service, say) if request.lost else None
            await _send(service, settings, mongo, work, alone)
        else:
            await work.count()
    finally:
        await mongo.close()
    kinds = [kind.entity_type for kind in service.entities]
    known = {"service": service.name, "kinds": kinds, "dry_run": not request.write}
    return Plain({**known, **asdict(work.found)}, clean=not work.found.left_out)


async def _send(
    service: Service,
    settings: Settings,
    mongo: Mongo,
    work: Republish,
    alone: AbstractAsyncContextManager[Lease] | None,
) -> None:
    address = Address(settings.topic(service.name), settings.source(service.name))
    publisher = Publisher(settings.kafka)
    keys = KeySender(mongo, publisher, settings.topic(KEYS_TOPIC), mints=False)
    try:
        if alone is None:
            await work.send(publisher, address, keys)
            return
        async with alone as lease:
            await work.send(publisher, address, keys, lease)
    finally:
        await publisher.stop()


@asynccontextmanager
async def _alone(mongo: Mongo, settings: Settings, service: Service, say: Say) -> AsyncIterator[Lease]:
    """The relay waits and the topic is there: what is new is sent after all that came before it."""
    lease = Lease(mongo, "relay", f"{service.name}-republish", _ALONE_SECONDS)
    if await lease.seize():
        say("the relay finishes what it has begun")
        await asyncio.sleep(_LAST_ROUND_SECONDS)
    await create_topics(settings.kafka, {service.name: settings.topic(service.name)}, settings.topic_replicas)
    yield lease
    await lease.release()
