"""Dropped: parked events that an operator has given up, kept for ever with their bytes and reason; none comes back."""

from collections.abc import Collection

from services.chassis.domain.values import now
from services.chassis.storage.mongo import Document, Mongo, New

COLLECTION = "dropped"
_BATCH = 1000
_FLAGS = ("replay", "drop")


class Dropped:
    """The dropped events of the partitions that are ours, by the ids under which they were parked; in memory."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._ids: set[str] = set()

    async def load(self, where: Document) -> None:
        """Learn of those that match."""
        self._ids = {d["_id"] async for batch in self._mongo.each(COLLECTION, where, {"_id": 1}, _BATCH) for d in batch}

    def has(self, id: str) -> bool:
        """Whether this one is never to be tried again."""
        return id in self._ids

    async def keep(self, document: Document) -> None:
        """Keep a parked event as dropped: why and by whom is what its flag says. Harmless when repeated."""
        kept = {name: value for name, value in document.items() if name not in _FLAGS}
        await self._mongo.bulk(COLLECTION, [New({**kept, "dropped": {**document["drop"], "done_at": now()}})])
        self._ids.add(document["_id"])


async def among(mongo: Mongo, ids: Collection[str]) -> set[str]:
    """Those of these ids (reaction|event) that were dropped."""
    found = await mongo.find(COLLECTION, {"_id": {"$in": list(ids)}}, show={"_id": 1}, limit=len(ids)) if ids else []
    return {document["_id"] for document in found}
