"""Parking: keeps events on which a reaction failed, with bytes and reason, and the later events of their entities."""

from collections.abc import Collection
from typing import Any

from services.chassis.domain.values import now
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.dropped import Dropped
from services.chassis.messaging.kafka import Incoming
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import logs, metrics

log = logs.get()

COLLECTION = "parked"
UNREADABLE = "unreadable"
_BATCH = 1000
_LONGEST = 2000  # the longest reason, in characters
# The flag exists only while it is set, so its index is small. With ``drop`` beside it, the event is dropped instead.
_UNFLAGGED = {"$unset": {"replay": ""}}


class Parking:
    """The parked events of our partitions; the set of parked entities is in memory."""

    def __init__(self, mongo: Mongo, reactions: Collection[str]) -> None:
        self._mongo = mongo
        self._reactions = reactions
        self._dropped = Dropped(mongo)
        self._parked: dict[tuple[str, str], dict[str, int]] = {}  # the offsets of parked events, by id

    async def load(self, partitions: Collection[tuple[str, int]]) -> None:
        """Load what is parked of these partitions, which are all of ours from now on."""
        found: list[Document] = []
        if partitions:
            show = {"reaction": 1, "entity": 1, "offset": 1}
            async for batch in self._mongo.each(COLLECTION, _of(partitions), show, _BATCH):
                found += batch
        await self._dropped.load(_of(partitions) if partitions else {"_id": None})
        self._parked = {}
        metrics.parked_events.clear()  # another worker's partitions must not be counted twice
        for reaction in (*self._reactions, UNREADABLE):
            metrics.parked_events.labels(reaction).set(0)
        for document in found:
            self._remember(document)

    def blocks(self, reaction: str, event: Delivered) -> bool:
        """Whether an event must wait for this reaction: it is parked, or an earlier event of its entity is."""
        waiting = self._parked.get((reaction, event.entity))
        return waiting is not None and min(waiting.values()) <= event.record.offset

    def gave_up(self, reaction: str, event: Delivered) -> bool:
        """Whether an operator has dropped it: then it has no effect, however often it arrives."""
        return self._dropped.has(_id(reaction, event.id))

    def gave_up_unreadable(self, record: Incoming) -> bool:
        """The same for a record that is not one of our events."""
        return self._dropped.has(_id(UNREADABLE, _place(record)))

    async def park(self, reaction: str, event: Delivered, reason: str) -> None:
        """Park one event; one that is parked already stays as it is."""
        if await self._keep(_id(reaction, event.id), reaction, event.entity, event.record, reason):
            log.error(
                "an event is parked: see `linli parked list`",
                reaction=reaction,
                event_id=event.id,
                event_type=event.type,
                reason=reason,
            )

    async def park_unreadable(self, record: Incoming, reason: str) -> None:
        """Park a record that is not one of our events."""
        place = _place(record)
        if await self._keep(_id(UNREADABLE, place), UNREADABLE, place, record, reason):
            log.error("an unreadable record is parked: see `linli parked list`", place=place, reason=reason)

    async def flagged(self, partitions: Collection[tuple[str, int]]) -> list[Document]:
        """The events of these partitions to be replayed or dropped, in the order of each entity's offsets.

        Read from the database, not from memory: the former owner may have parked events after we took over.
        """
        if not partitions:
            return []
        order = [("reaction", 1), ("entity", 1), ("offset", 1)]
        return await self._mongo.find(COLLECTION, {"replay": True, **_of(partitions)}, sort=order, limit=_BATCH)

    async def is_next(self, document: Document) -> bool:
        """Whether it is still to be replayed, and no earlier event of its entity is parked."""
        first = await self._mongo.find(COLLECTION, _beside(document), sort=[("offset", 1)], limit=1)
        return bool(first) and first[0]["_id"] == document["_id"] and bool(first[0].get("replay"))

    async def drop(self, document: Document) -> None:
        """Drop one, as an operator asked: it is kept elsewhere, and the later events keep waiting."""
        await self._dropped.keep(document)
        await self.unpark(document)
        metrics.events_dropped.labels(document["reaction"]).inc()
        asked = {name: document["drop"][name] for name in ("by", "reason")}
        log.warning("a parked event is dropped", reaction=document["reaction"], parked=document["_id"], **asked)

    async def unpark(self, document: Document) -> None:
        """Remove one that has had its effect."""
        await self._mongo.delete(COLLECTION, {"_id": document["_id"]})
        place = (document["reaction"], document["entity"])
        waiting = self._parked.get(place, {})
        if waiting.pop(document["_id"], None) is not None:
            metrics.parked_events.labels(document["reaction"]).dec()
        if not waiting:
            self._parked.pop(place, None)

    async def keep_waiting(self, document: Document, reason: str) -> None:
        """It cannot be replayed now: its entity keeps waiting, and the record stays as it is."""
        log.warning("a replay is put off", reaction=document["reaction"], entity=document["entity"], reason=reason)
        await self._unflag(document, {})

    async def fail_again(self, document: Document, reason: str) -> None:
        """Its replay failed: note the new reason; its entity keeps waiting."""
        log.error("a replay failed", reaction=document["reaction"], entity=document["entity"], reason=reason)
        await self._unflag(document, {"$set": {"reason": reason[:_LONGEST]}})

    async def _unflag(self, document: Document, change: Document) -> None:
        """Remove the flags of the later events first.

        After a crash the first one is still flagged, and the next round removes the others.
        """
        asked = {"replay": True, "drop": {"$exists": False}}
        followers = {**_beside(document), **asked, "_id": {"$ne": document["_id"]}}
        while await self._mongo.update(COLLECTION, followers, _UNFLAGGED):
            continue
        await self._mongo.update(COLLECTION, {"_id": document["_id"]}, {**_UNFLAGGED, **change})

    async def _keep(self, id: str, reaction: str, entity: str, record: Incoming, reason: str) -> bool:
        document = {"_id": id, **_document(reaction, entity, record, reason)}
        try:
            await self._mongo.insert(COLLECTION, document)
            fresh = True
        except Duplicate:  # parked already: the batch came again, or the answer to the insert was lost
            fresh = False
        self._remember(document)
        return fresh

    def _remember(self, document: Document) -> None:
        waiting = self._parked.setdefault((document["reaction"], document["entity"]), {})
        if document["_id"] not in waiting:
            waiting[document["_id"]] = document["offset"]
            metrics.parked_events.labels(document["reaction"]).inc()


def _id(reaction: str, what: str) -> str:
    return f"{reaction}|{what}"


def _place(record: Incoming) -> str:
    return f"{record.topic}-{record.partition}-{record.offset}"


def _of(partitions: Collection[tuple[str, int]]) -> Document:
    return {"$or": [{"topic": topic, "partition": partition} for topic, partition in partitions]}


def _beside(document: Document) -> Document:
    """Everything parked for the same reaction and entity."""
    return {"reaction": document["reaction"], "entity": document["entity"]}


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
        "reason": reason[:_LONGEST],
        "at": now(),
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
