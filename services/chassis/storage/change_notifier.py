"""The change notifier: names the collections that changed, so that relay and scheduler need not poll."""

from collections.abc import Collection
from typing import Any

from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo


class ChangeNotifier:
    """Names the collections of majority-committed writes that set a field, each once between two calls."""

    def __init__(
        self, mongo: Mongo, session: Any, field: str = "pending", collections: Collection[str] | None = None
    ) -> None:
        """``session`` as for ``Changes``; ``collections``: which are named, None for all."""
        among: Document = {} if collections is None else {"ns.coll": {"$in": sorted(collections)}}
        written = {"operationType": {"$in": ["insert", "update", "replace"]}, **among}
        places = (f"fullDocument.{field}", f"updateDescription.updatedFields.{field}")
        sets: Document = {"$or": [{place: {"$exists": True}} for place in places]}
        # No more than the name: what changed there the caller reads itself.
        self._changes = Changes(mongo, session, ({"$match": written | sets}, {"$project": {"_id": 1, "ns.coll": 1}}))

    async def wait(self, wait_ms: int) -> set[str] | None:
        """Wait up to ``wait_ms``. Returns the collections in which the field was set since the last call.

        None: it listens from now on, and any collection may hold something. Raises Unavailable.
        """
        changes = await self._changes.come(wait_ms)
        return None if changes is None else {change["ns"]["coll"] for change in changes}
