"""The change notifier: wakes the relay when something is to be published, so that it need not poll."""

from typing import Any

from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo

_PENDING: Document = {
    "$or": [{"fullDocument.pending": {"$exists": True}}, {"updateDescription.updatedFields.pending": {"$exists": True}}]
}
_PIPELINE: tuple[Document, ...] = (
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, **_PENDING}},
    {"$project": {"_id": 1}},  # only the fact that something changed is needed
)


class ChangeNotifier:
    """Reports majority-committed writes that leave events pending. Many writes between two calls are reported once."""

    def __init__(self, mongo: Mongo, session: Any) -> None:
        """``session`` as for ``Changes``."""
        self._changes = Changes(mongo, session, _PIPELINE)

    async def wait(self, wait_ms: int) -> bool:
        """Wait up to ``wait_ms``. Returns whether something became pending since the last call, or may have.

        Raises Unavailable.
        """
        return await self._changes.come(wait_ms) != []
