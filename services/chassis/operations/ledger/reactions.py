"""Checks that every event of the topics had its effect in each reaction, or is parked (L7)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.chassis.domain.checks import CheckResult, TopicPartition
from services.chassis.messaging import dropped, parking
from services.chassis.messaging.delivered import Delivered, Unreadable
from services.chassis.messaging.kafka import Incoming, TopicReader
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.storage.mongo import Mongo


class Judge(Protocol):
    """One reaction, compared with the topics partition by partition."""

    async def take(self, events: Sequence[Delivered]) -> None:
        """The next events of the partition, all of them before the cut."""

    async def end(self) -> None:
        """The end of the partition."""

    async def finish(self, past: TopicReader, cut: dict[TopicPartition, int]) -> None:
        """The end of all partitions."""

    def line(self) -> CheckResult:
        """The results."""


class Remembered:
    """A reaction with a memory: each event is in the memory, parked, dropped, or was skipped."""

    def __init__(self, mongo: Mongo, reaction: AnyReaction, begins: Mapping[TopicPartition, int]) -> None:
        """``begins``: the offsets from which on it had to handle events."""
        self._mongo, self._reaction, self._begins = mongo, reaction, begins
        self._line = CheckResult("L7", reaction.name)

    async def take(self, events: Sequence[Delivered]) -> None:
        """Check a batch. Parked events are read first: a replay or drop is recorded before the event is unparked."""
        name = self._reaction.name
        wanted = [event for event in events if self._reaction.wants(event)]
        self._line.count("not wanted", len(events) - len(wanted))
        parked = await parked_among(self._mongo, name, wanted)
        given_up = await dropped_among(self._mongo, name, wanted)
        seen = await self._seen({event.entity for event in wanted})
        for event in wanted:
            if event.id in parked:
                self._line.count("parked")
            elif event.id in given_up:
                self._line.count("dropped")
            elif event.version <= seen.get(event.entity, 0):
                self._line.count("done")
            elif event.record.offset < self._begins.get((event.record.topic, event.record.partition), 0):
                self._line.count("before it was on")
            else:
                self._line.breach(f"{event.id}: had no effect, and is not parked")
        behind = [event for event in wanted if event.id in parked and event.version < seen.get(event.entity, 0)]
        await expect_unparked(self._mongo, name, behind, self._line)

    async def end(self) -> None:
        """Nothing is kept back."""

    async def finish(self, past: TopicReader, cut: dict[TopicPartition, int]) -> None:
        """Nothing is kept back."""

    def line(self) -> CheckResult:
        """The results."""
        return self._line

    async def _seen(self, entities: Iterable[str]) -> dict[str, int]:
        ids = {f"{self._reaction.name}|{entity}": entity for entity in entities}
        found = await self._mongo.find("seen", {"_id": {"$in": list(ids)}}, limit=max(1, len(ids)))
        return {ids[document["_id"]]: document["version"] for document in found}


async def parked_among(mongo: Mongo, reaction: str, events: Iterable[Delivered]) -> dict[str, int]:
    """Which of these events are parked for a reaction now: their offsets by id."""
    ids = {f"{reaction}|{event.id}": event.id for event in events}
    if not ids:
        return {}
    found = await mongo.find(parking.COLLECTION, {"_id": {"$in": list(ids)}}, show={"offset": 1}, limit=len(ids))
    return {ids[document["_id"]]: document["offset"] for document in found}


async def dropped_among(mongo: Mongo, reaction: str, events: Iterable[Delivered]) -> set[str]:
    """Which of these events an operator has dropped for a reaction."""
    ids = {f"{reaction}|{event.id}": event.id for event in events}
    return {ids[id] for id in await dropped.among(mongo, ids)}


async def expect_unparked(mongo: Mongo, reaction: str, events: Sequence[Delivered], line: CheckResult) -> None:
    """A breach for each of these that is still parked although a later one has had its effect."""
    parked = await parked_among(mongo, reaction, events)
    for event in events:
        # A late duplicate may be parked although the event had its effect: it has another offset.
        if parked.get(event.id) == event.record.offset:
            line.breach(f"{event.id}: is parked, and a later one of its entity has had its effect")


class RecordCheck:
    """The events among records; an unreadable record must be parked or dropped."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self.line = CheckResult("L7", "records")

    async def of(self, records: Sequence[Incoming]) -> list[Delivered]:
        """The readable ones."""
        events, places = [], []
        for record in records:
            try:
                events.append(Delivered.of(record))
            except Unreadable:
                places.append(f"{record.topic}-{record.partition}-{record.offset}")
        self.line.count("records", len(records))
        await self._expect_parked(places)
        return events

    async def _expect_parked(self, places: Sequence[str]) -> None:
        if not places:
            return
        ids = {f"{parking.UNREADABLE}|{place}": place for place in places}
        found = await self._mongo.find(parking.COLLECTION, {"_id": {"$in": list(ids)}}, limit=len(ids))
        self.line.count("unreadable, parked", len(found))
        missing = ids.keys() - {document["_id"] for document in found}
        given_up = await dropped.among(self._mongo, missing)
        self.line.count("unreadable, dropped", len(given_up))
        for id in missing - given_up:
            self.line.breach(f"{ids[id]}: cannot be read and is not parked")
