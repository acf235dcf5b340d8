"""The batch reader: concurrent look-ups by id share one round trip, whatever their collections."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis.storage.combiner import Combiner

Document = dict[str, Any]
Show = tuple[tuple[str, int], ...]
"""A projection, as pairs; empty for whole documents."""

_MOST_SHARED = 20
"""A look-up of more ids is worth a round trip of its own, and nobody waits for it."""


@dataclass(frozen=True, slots=True)
class _LookUp:
    """Where a document is, and what is shown of it."""

    collection: str
    show: Show
    id: str


class BatchReader:
    """Documents by their ids, for all use cases of a process."""

    def __init__(
        self,
        find: Callable[[str, Document, Document | None, int], Awaitable[list[Document]]],
        aggregate: Callable[[str, list[Document], int], Awaitable[list[Document]]],
    ) -> None:
        """``find(collection, where, show, limit)`` and ``aggregate(collection, stages, limit)`` ask the database."""
        self._find = find
        self._aggregate = aggregate
        self._combiner = Combiner[_LookUp, Document]()

    async def read(self, collection: str, ids: Collection[str], show: Show) -> dict[str, Document]:
        """The documents of these ids that exist. They are shared with other callers: do not change them."""
        if len(ids) > _MOST_SHARED:
            return await self._of_one(collection, show, list(ids))
        found = await self._combiner.get_all([_LookUp(collection, show, id) for id in ids], self._of_all)
        return {one.id: document for one, document in found.items()}

    async def _of_all(self, look_ups: Sequence[_LookUp]) -> Mapping[_LookUp, Document]:
        """One query where all are of one collection, else one pipeline over all: a call costs more than a look."""
        wanted = defaultdict[tuple[str, Show], list[str]](list)
        for one in look_ups:
            wanted[one.collection, one.show].append(one.id)
        if len(wanted) == 1:
            (((collection, show), ids),) = wanted.items()
            found = await self._of_one(collection, show, ids)
            return {_LookUp(collection, show, id): document for id, document in found.items()}
        looks = list(wanted)
        (first, stages), *others = [
            (collection, _stages(number, show, wanted[collection, show]))
            for number, (collection, show) in enumerate(looks)
        ]
        unions: list[Document] = [{"$unionWith": {"coll": name, "pipeline": pipeline}} for name, pipeline in others]
        results = await self._aggregate(first, [*stages, *unions], len(look_ups))
        return {_LookUp(*looks[one["look"]], one["document"]["_id"]): one["document"] for one in results}

    async def _of_one(self, collection: str, show: Show, ids: Sequence[str]) -> dict[str, Document]:
        found = await self._find(collection, {"_id": {"$in": list(ids)}}, dict(show) or None, len(ids))
        return {document["_id"]: document for document in found}


def _stages(look: int, show: Show, ids: Sequence[str]) -> list[Document]:
    shown: list[Document] = [{"$project": dict(show)}] if show else []
    marked = {"$project": {"_id": 0, "look": {"$literal": look}, "document": "$$ROOT"}}
    return [{"$match": {"_id": {"$in": list(ids)}}}, *shown, marked]
