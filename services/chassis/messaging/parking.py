"""Parking: events on which a reaction failed, kept with their bytes and reason, and those that follow them."""

from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from typing import Any

from services.chassis.domain.values import now
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.reactions import Delivered
from services.chassis.ops import logs, metrics
from services.chassis.storage.mongo import Document, Duplicate, Mongo

log = logs.get()

COLLECTION = "parked"
UNREADABLE = "unreadable"
_MOST = 100_000


class Parking:
    """The parked events of the partitions that are ours; the set of parked entities is held in memory."""

    def __init__(self, mongo: Mongo, reactions: Collection[str]) -> None:
        self._mongo = mongo
        self._reactions = reactions
        self._held: dict[tuple[str, str], dict[str, int]] = {}  # the offsets of what waits, by id

    async def load(self, partitions: Collection[tuple[str, int]]) -> None:
        """Learn what is parked of these partitions, which are all that are ours from now on."""
        show = {"reaction": 1, "entity": 1, "offset": 1}
        choices = [{"topic": topic, "partition": partition} for topic, partition in partitions]
        found = await self._mongo.find(COLLECTION, {"$or": choices}, show=show, limit=_MOST) if choices else []
        self._held = {}
        for document in found:
            self._hold(document)
        self._measure()

    def holds(self, reaction: str, event: Delivered) -> bool:
        """Whether an earlier event of its entity is parked for this reaction, so that it has to wait behind that."""
        waiting = self._held.get((reaction, event.entity))
        return waiting is not None and min(waiting.values()) < event.record.offset

    async def park(self, reaction: str, event: Delivered, reason: str) -> None:
        """Set one event aside."""
        log.error("an event is parked", reaction=reaction, event_id=event.id, event_type=event.type, reason=reason)
        await self._keep(f"{reaction}|{event.id}", reaction, event.entity, event.record, reason)

    async def park_unreadable(self, record: Incoming, reason: str) -> None:
        """Set a record aside that is none of our events."""
        place = f"{record.topic}-{record.partition}-{record.offset}"
        log.error("an unreadable record is parked", place=place, reason=reason)
        await self._keep(f"{UNREADABLE}|{place}", UNREADABLE, place, record, reason)

    async def flagged(self, partitions: Collection[tuple[str, int]]) -> list[Document]:
        """What an operator wants replayed of these partitions, in the order of its entities' offsets."""
        if not self._held or not partitions:
            return []
        choices = [{"topic": topic, "partition": partition} for topic, partition in partitions]
        order = [("reaction", 1), ("entity", 1), ("offset", 1)]
        return await self._mongo.find(COLLECTION, {"replay": True, "$or": choices}, sort=order, limit=1000)

    async def is_next(self, document: Document) -> bool:
        """Whether it is still to be replayed and no earlier event of its entity is parked."""
        same = {"reaction": document["reaction"], "entity": document["entity"]}
        first = await self._mongo.find(COLLECTION, same, sort=[("offset", 1)], limit=1)
        return bool(first) and first[0]["_id"] == document["_id"] and bool(first[0]["replay"])

    async def unpark(self, document: Document) -> None:
        """Forget one that has had its effect."""
        await self._mongo.delete(COLLECTION, {"_id": document["_id"]})
        waiting = self._held.get((document["reaction"], document["entity"]), {})
        waiting.pop(document["_id"], None)
        if not waiting:
            self._held.pop((document["reaction"], document["entity"]), None)
        self._measure()

    async def keep_waiting(self, reaction: str, entity: str, reason: str) -> None:
        """The replay failed again: the reason is renewed and the entity waits on."""
        log.error("a replay failed", reaction=reaction, entity=entity, reason=reason)
        where = {"reaction": reaction, "entity": entity, "replay": True}
        while await self._mongo.update(COLLECTION, where, {"$set": {"replay": False, "reason": reason}}):
            continue

    async def _keep(self, id: str, reaction: str, entity: str, record: Incoming, reason: str) -> None:
        document = {"_id": id, **_document(reaction, entity, record, reason)}
        with suppress(Duplicate):  # parked already: the batch came again, or the answer to the insert was lost
            await self._mongo.insert(COLLECTION, document)
        self._hold(document)
        self._measure()

    def _hold(self, document: Document) -> None:
        waiting = self._held.setdefault((document["reaction"], document["entity"]), {})
        waiting.setdefault(document["_id"], document["offset"])

    def _measure(self) -> None:
        metrics.parked_events.clear()  # what is another worker's now must not be counted twice
        totals = Counter(dict.fromkeys((*self._reactions, UNREADABLE), 0))
        for (reaction, _), waiting in self._held.items():
            totals[reaction] += len(waiting)
        for reaction, count in totals.items():
            metrics.parked_events.labels(reaction).set(count)


def _document(reaction: str, entity: str, record: Incoming, reason: str) -> dict[str, Any]:
    return {
        "reaction": reaction,
        "entity": entity,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "bytes": record.value,
        "headers": record.headers,
        "reason": reason[:2000],
        "at": now(),
        "replay": False,
    }


def record_of(document: Document) -> Incoming:
    """The record as it arrived."""
    value = document["bytes"]
    return Incoming(
        document["topic"],
        document["partition"],
        document["offset"],
        document["key"],
        None if value is None else bytes(value),
        document["headers"],
    )
