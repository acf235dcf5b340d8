"""Compares a service's topic with its histories: nothing missing, no phantom, in order, right partition (L5, L6)."""

from typing import Any

from services.chassis.domain.checks import CheckResult
from services.chassis.messaging.delivered import Delivered, Unreadable
from services.chassis.messaging.kafka import Incoming, TopicReader, partition_of
from services.chassis.operations.answering import Say
from services.chassis.operations.ledger.histories import Kinds, Track, digest, digests, with_archive
from services.chassis.storage.mongo import Mongo

_LOOK = 200
_MOST_VERSIONS = 1_000_000


class Published:
    """Reads the topic once, up to its ends, and compares it with the tracks."""

    def __init__(self, mongo: Mongo, kinds: Kinds, tracks: dict[str, Track], say: Say) -> None:
        self._mongo, self._kinds, self._tracks, self._say = mongo, kinds, tracks, say
        self._unknown: dict[str, dict[int, int]] = {}
        self.content, self.order = CheckResult("L5", "topic"), CheckResult("L6")

    async def read(self, past: TopicReader, topic: str) -> None:
        """Check the topic as it is now; the tracks must be older."""
        for (_, partition), end in (await past.ends(topic)).items():
            async for records in past.read(topic, partition, 0, end):
                for record in records:
                    self._take(record)
                if len(self._unknown) >= _LOOK:
                    await self._look_again()
            self._say(f"{self.order.counts['records']} records of {topic} read")
        await self._look_again()
        for id, track in self._tracks.items():
            self._miss(id, track)

    def lines(self) -> list[CheckResult]:
        """L5 and L6."""
        return [self.content, self.order]

    def _take(self, record: Incoming) -> None:
        place = f"{record.topic}-{record.partition} at {record.offset}"
        self.order.count("records")
        if record.partition != partition_of(record.key):
            self.order.breach(
                f"{record.key} is on partition {record.partition}, not {partition_of(record.key)}: {place}"
            )
        try:
            event = Delivered.of(record)
        except Unreadable as error:
            self.content.breach(f"is not an event of this service: {place}: {error}")
            return
        if not 0 < event.version < _MOST_VERSIONS:
            self.content.breach(f"{event.id} has a version that no history can have: {place}")
            return
        track = self._tracks.setdefault(event.entity, Track())
        if track.seen >> event.version & 1:
            self.content.count("duplicates")
            return
        track.seen |= 1 << event.version
        self._order(track, event, place)
        self._content(track, event)

    def _order(self, track: Track, event: Delivered, place: str) -> None:
        if event.version < track.highest:
            self.order.breach(f"{event.id} comes first after version {track.highest}: {place}")
        track.highest = max(track.highest, event.version)

    def _content(self, track: Track, event: Delivered) -> None:
        if not track.whole:
            self.content.count("not judged, history broken")
            return
        found = digest(event.type, event.schema, event.record.value or b"")
        if 1 <= event.version <= len(track.digests):
            self._compare(event.id, track.digests[event.version - 1], found)
        else:  # written since the histories were read, or a phantom
            self._unknown.setdefault(event.entity, {})[event.version] = found

    def _compare(self, id: str, wanted: int, found: int) -> None:
        self.content.count("distinct events")
        if not wanted:
            self.content.breach(f"{id} is private and in the topic")
        elif wanted != found:
            self.content.breach(f"{id} is not in the topic as it is in its history")

    async def _look_again(self) -> None:
        """Look these up in the histories again: they must be there by now."""
        unknown, self._unknown = self._unknown, {}
        for kind in self._kinds:
            among, show = {"_id": {"$in": list(unknown)}}, {"history": 1, "archived": 1}
            async for document in with_archive(self._mongo, kind, among, show):
                self._again(document["_id"], digests(document["history"]), unknown.pop(document["_id"]))
        for id, versions in unknown.items():
            for version in versions:
                self.content.breach(f"{id}:{version} is in the topic, its entity is in no database")

    def _again(self, id: str, known: Any, versions: dict[int, int]) -> None:
        for version, found in versions.items():
            if 1 <= version <= len(known):
                self._compare(f"{id}:{version}", known[version - 1], found)
            else:
                self.content.breach(f"{id}:{version} is in the topic, and in no history")

    def _miss(self, id: str, track: Track) -> None:
        if not track.whole:
            return
        loud = [v for v, wanted in enumerate(track.digests[: track.published], start=1) if wanted]
        self.content.count("published", len(loud))
        for version in loud:
            if not track.seen >> version & 1:
                self.content.breach(f"{id}:{version} is marked as published and not in the topic")
