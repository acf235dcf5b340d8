"""Dropped events: parked events that an operator gave up. They are kept with bytes and reason, and never delivered
again."""

from collections.abc import Collection

from services.chassis.domain.values import now
from services.chassis.storage.mongo import Document, Mongo, New

COLLECTION = "dropped"
_BATCH = 1000
_FLAGS = ("replay", "drop")


class Dropped:
    """The dropped events of our partitions, in memory, by the ids under which they were parked."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._ids: set[str] = set()

    async def load(self, where: Document) -> None:
        """Load those that match."""
        self._ids = {d["_id"] async for batch in self._mongo.each(COLLECTION, where, {"_id": 1}, _BATCH) for d in batch}

    def has(self, id: str) -> bool:
        """Whether this event must never be tried again."""
        return id in self._ids

    async def keep(self, document: Document) -> None:
        """Keep a parked event as dropped, with who and why from its flag. Idempotent."""
        kept = {name: value for name, value in document.items() if name not in _FLAGS}
        await self._mongo.bulk(COLLECTION, [New({**kept, "dropped": {**document["drop"], "done_at": now()}})])
        self._ids.add(document["_id"])


async def among(mongo: Mongo, ids: Collection[str]) -> set[str]:
    """Those of these ids (reaction|event) that were dropped."""
    return {*await mongo.by_ids(COLLECTION, ids, {"_id": 1})}
