"""Checks that every copy is the fold of its source's topic (L7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis.domain.checks import CheckResult, TopicPartition
from services.chassis.domain.entity import Copy
from services.chassis.messaging.delivered import Delivered, Unreadable
from services.chassis.messaging.kafka import Incoming, TopicReader
from services.chassis.messaging.reactions import Copying
from services.chassis.operations.ledger.histories import differing
from services.chassis.operations.ledger.reactions import dropped_among, expect_unparked, parked_among
from services.chassis.storage.mongo import Document, Mongo

_CHUNK = 200


@dataclass(slots=True)
class Folding:
    """One copy, as the topic describes it."""

    copy: Copy[Any] | None = None
    held: list[Delivered] = field(default_factory=list)
    """Events since the first parked one: only the stored copy shows how many of them had their effect."""
    parked: set[str] = field(default_factory=set)
    wrong: str | None = None

    @property
    def version(self) -> int:
        """The source's version; 0 if no event was applied."""
        return self.copy.version if self.copy else 0

    def apply(self, kind: type[Copy[Any]], delivered: Delivered) -> None:
        """Apply an event as the consumer does; an event that fails must be parked."""
        if self.wrong or delivered.version <= self.version:
            return
        try:
            event = delivered.event(kind.events)
            if self.copy is None and not isinstance(event, kind.creates):
                self.wrong = f"{delivered.id} changes something that was never created, and is not parked"
                return
            self.copy = self.copy or kind.blank(delivered.entity)
            self.copy.version = delivered.version
            self.copy.apply(event)
        except Exception as error:
            self.wrong = f"{delivered.id} cannot be applied, and is not parked: {type(error).__name__}"


class Copied:
    """All copies of one type, one partition at a time."""

    def __init__(self, mongo: Mongo, reaction: Copying) -> None:
        self._mongo, self._reaction, self._kind = mongo, reaction, reaction.kind
        self._folds: dict[str, Folding] = {}
        self._known: set[int] = set()
        self._newer: dict[str, tuple[Folding, Document]] = {}
        self._line = CheckResult("L7", reaction.name)

    async def take(self, events: Sequence[Delivered]) -> None:
        """Fold a batch."""
        wanted = [event for event in events if self._reaction.wants(event)]
        self._line.count("not wanted", len(events) - len(wanted))
        self._line.count("wanted", len(wanted))
        parked = await parked_among(self._mongo, self._reaction.name, wanted)
        given_up = await dropped_among(self._mongo, self._reaction.name, wanted) - parked.keys()
        self._line.count("parked", len(parked))
        self._line.count("dropped", len(given_up))
        for event in wanted:
            fold = self._folds.setdefault(event.entity, Folding())
            if event.id in given_up:
                continue
            fold.parked |= {event.id} & parked.keys()
            if fold.held or event.id in parked:
                fold.held.append(event)
            else:
                fold.apply(self._kind, event)

    async def end(self) -> None:
        """Compare the partition's result with the copies; set aside those that are newer than the cut."""
        ids = list(self._folds)
        self._known.update(map(hash, ids))
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            found = await self._mongo.find(self._kind.collection(), {"_id": {"$in": chunk}}, limit=len(chunk))
            stored = {document["_id"]: document for document in found}
            for id in chunk:
                await self._compare(id, self._folds[id], stored.get(id))
        self._folds = {}

    async def finish(self, past: TopicReader, cut: dict[TopicPartition, int]) -> None:
        """Check the newer copies, with the events after the cut."""
        await self._find_strangers()
        if self._newer:
            await self._read_on(past, cut)
        for id, (fold, document) in self._newer.items():
            if fold.version != document["version"]:
                self._line.breach(f"{id}: is at version {document['version']}, which no event of the topic gives")
            else:
                self._judge(id, fold, document)

    def line(self) -> CheckResult:
        """The results."""
        return self._line

    async def _compare(self, id: str, fold: Folding, document: Document | None) -> None:
        version = document["version"] if document else 0
        # Including those dropped since they were seen as parked: the copy was read later, so it may be further.
        given_up = await dropped_among(self._mongo, self._reaction.name, fold.held)
        for event in fold.held:
            if event.id in given_up:
                continue
            if event.version <= version:
                fold.apply(self._kind, event)
            elif event.id not in fold.parked:
                fold.wrong = f"{event.id} had no effect, and is not parked"
        behind = [event for event in fold.held if event.id in fold.parked and event.version < version]
        await expect_unparked(self._mongo, self._reaction.name, behind, self._line)
        if fold.version < version and document:
            self._newer[id] = (fold, document)
        else:
            self._judge(id, fold, document)

    def _judge(self, id: str, fold: Folding, document: Document | None) -> None:
        stored = document["version"] if document else 0
        self._line.count("copies", bool(stored))
        if fold.wrong:
            self._line.breach(f"{id}: {fold.wrong}")
        elif fold.version > stored:
            self._line.breach(f"{id}: is at version {stored}, the topic at {fold.version}")
        elif fold.copy and document and (wrong := differing(self._kind, fold.copy, document)):
            self._line.breach(f"{id}: {wrong}")

    async def _find_strangers(self) -> None:
        """Copies of which the topic has no event before the cut."""
        async for documents in self._mongo.each(self._kind.collection(), {}, {"_id": 1}, batch=2000):
            fresh = [document["_id"] for document in documents if hash(document["_id"]) not in self._known]
            async for found in self._mongo.each(self._kind.collection(), {"_id": {"$in": fresh}}):
                self._newer.update({document["_id"]: (Folding(), document) for document in found})

    async def _read_on(self, past: TopicReader, cut: dict[TopicPartition, int]) -> None:
        for topic in {topic for topic, _ in cut}:
            for place, end in (await past.ends(topic)).items():
                async for records in past.read(*place, cut[place], end):
                    await self._take_newer([event for record in records for event in self._wanted(record)])

    async def _take_newer(self, events: Sequence[Delivered]) -> None:
        given_up = await dropped_among(self._mongo, self._reaction.name, events)
        for event in events:
            fold, document = self._newer[event.entity]
            if event.id not in given_up and event.version <= document["version"]:
                fold.apply(self._kind, event)

    def _wanted(self, record: Incoming) -> list[Delivered]:
        """The event of a record, if it belongs to a copy that is newer than the cut."""
        try:
            event = Delivered.of(record)
        except Unreadable:
            return []
        return [event] if event.entity in self._newer and self._reaction.wants(event) else []
