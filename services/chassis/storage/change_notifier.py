"""The bell: rings when something in a database is to be published, so that whoever waits for that need not poll."""

from typing import Any

from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo

_PENDING: Document = {
    "$or": [{"fullDocument.pending": {"$exists": True}}, {"updateDescription.updatedFields.pending": {"$exists": True}}]
}
_PIPELINE: tuple[Document, ...] = (
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, **_PENDING}},
    {"$project": {"_id": 1}},  # that it rang is all one wants to know
)


class ChangeNotifier:
    """Hears of writes on a majority that leave something pending; however often it rang, it is heard once in a look."""

    def __init__(self, mongo: Mongo, session: Any) -> None:
        """``session`` as ``Changes`` needs it."""
        self._changes = Changes(mongo, session, _PIPELINE)

    async def wait(self, wait_ms: int) -> bool:
        """Whether it rang since the last call, or may have; waits so long for it. Unavailable as every command."""
        return await self._changes.come(wait_ms) != []
