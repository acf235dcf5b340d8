"""The change notifier: tells the relay in which collections something is to be published, so that it need not poll."""

from typing import Any

from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo

_PENDING: Document = {
    "$or": [{"fullDocument.pending": {"$exists": True}}, {"updateDescription.updatedFields.pending": {"$exists": True}}]
}
_PIPELINE: tuple[Document, ...] = (
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, **_PENDING}},
    {"$project": {"_id": 1, "ns.coll": 1}},  # what changed there the relay reads itself
)


class ChangeNotifier:
    """Names the collections of majority-committed writes that leave events pending, each once between two calls."""

    def __init__(self, mongo: Mongo, session: Any) -> None:
        """``session`` as for ``Changes``."""
        self._changes = Changes(mongo, session, _PIPELINE)

    async def wait(self, wait_ms: int) -> set[str] | None:
        """Wait up to ``wait_ms``. Returns the collections in which something became pending since the last call.

        None: it listens from now on, and any collection may hold something. Raises Unavailable.
        """
        changes = await self._changes.come(wait_ms)
        return None if changes is None else {change["ns"]["coll"] for change in changes}
