"""The batch loader: concurrent look-ups by id share one query."""

from collections.abc import Collection, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.storage import copy_reads
from services.chassis.storage.combiner import Combiner
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document, Mongo

S = TypeVar("S", bound=Stored)


class BatchLoaders:
    """Loads by id, for all use cases of a process: one query at a time in each collection. It reads as the system.

    A document that cannot be parsed fails only for the caller who asked for it.
    """

    def __init__(self) -> None:
        self._collections: dict[str, Combiner[str, Document]] = {}
        self._context = copy_context()  # of the process: a query belongs to no single request or reaction

    async def get(self, mongo: Mongo, kind: type[S], id: str) -> S | None:
        """The object with this id, or None. Raises Unavailable."""
        document = await self.document(mongo, kind.collection(), id, {"history": 0})
        return None if document is None else load(kind, document)

    async def document(self, mongo: Mongo, collection: str, id: str, show: Document) -> Document | None:
        """The document with this id, or None; ``show`` must always be the same. Raises Unavailable."""
        copy_reads.expect_declared(collection)
        combiner = self._collections.setdefault(collection, self._context.run(Combiner))
        return await combiner.get(id, partial(_documents, mongo, collection, show))


async def by_ids(mongo: Mongo, kind: type[S], ids: Collection[str]) -> dict[str, S]:
    """The objects of these ids that exist, by one query as the system actor; no query for no ids.

    Copies that were written in the batch of a reaction are taken from there.
    """
    copy_reads.expect_declared(kind.collection())
    written = copy_reads.written(kind.collection())
    found = {id: written[id] for id in ids if id in written}
    if missing := [id for id in ids if id not in written]:
        found |= await _documents(mongo, kind.collection(), {"history": 0}, missing)
    return {id: load(kind, document) for id, document in found.items()}


async def _documents(mongo: Mongo, collection: str, show: Document, ids: Sequence[str]) -> dict[str, Document]:
    found = await mongo.find(collection, {"_id": {"$in": ids}}, show=show, limit=len(ids))
    return {document["_id"]: document for document in found}
