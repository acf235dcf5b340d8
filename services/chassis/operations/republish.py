"""Republishing: what histories say was published is sent once more, in order, as the relay sends it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Recorded
from services.chassis.messaging.kafka import BrokerAway, Publisher, Unsendable
from services.chassis.messaging.key_sending import KeySender
from services.chassis.messaging.outgoing import Address
from services.chassis.operations.answering import Say
from services.chassis.storage import archive
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Document, Mongo

Kinds = Sequence[type[Entity[Any]]]

_ENTITIES, _EVENTS = 50, 200
_EXAMPLES = 10
_SHOW = {"history": 1, "archived": 1, "published": 1, "key": 1}


class LeaseLost(Exception):
    """Somebody else publishes now: what is sent besides would come in between."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of one entity, of one kind, or all; recorded from ``since`` on and before ``until``."""

    entity: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def among(self, kinds: Kinds) -> list[type[Entity[Any]]]:
        """The kinds in which to look."""
        return [kind for kind in kinds if self.kind in ("", kind.entity_type)]

    def where(self) -> Document:
        """As a condition on stored documents."""
        return {"_id": self.entity} if self.entity else {}

    def takes(self, at: datetime) -> bool:
        """Whether an event of this time is wanted."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass
class Found:
    """How many were met and sent; an entity whose history lacks versions, or that cannot be sent, is left out."""

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
    """One pass over histories with their archives, while others write, relay and read.

    Nothing is sent that the relay has not sent before: readers pass over what they have seen, as after its crash.
    """

    def __init__(self, mongo: Mongo, kinds: Kinds, wanted: Wanted, say: Say) -> None:
        self._mongo, self._kinds, self._wanted, self._say = mongo, kinds, wanted, say
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
            if alone is not None and not await alone.hold():
                raise LeaseLost("the relay has taken over again: repeat it")
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
        for kind in self._wanted.among(self._kinds):
            async for documents in self._mongo.each(kind.collection(), self._wanted.where(), _SHOW, _ENTITIES):
                for document in documents:
                    waiting += await self._events(kind.collection(), document)
                while len(waiting) >= _EVENTS:
                    yield waiting[:_EVENTS]
                    del waiting[:_EVENTS]
        if waiting:
            yield waiting

    async def _events(self, name: str, document: Document) -> list[Recorded]:
        """What was published of one entity, and is wanted, oldest first."""
        history = await archive.whole(self._mongo, name, document)
        if [entry["version"] for entry in history] != list(range(1, len(history) + 1)):
            self.found.leave_out(document["_id"], "its history lacks versions; `linli verify` says which")
            return []
        loud = [Recorded.load(e) for e in history if e["published"] and e["version"] <= document["published"]]
        events = [event for event in loud if self._wanted.takes(event.at)]
        if events and "key" in document:
            self._keys.setdefault(name, {})[document["_id"]] = document["key"]["wrapped"]
        self.found.entities += bool(events)
        self.found.events += len(events)
        return events
