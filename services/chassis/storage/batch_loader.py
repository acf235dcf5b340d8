"""The batch loader: concurrent look-ups by id share one query."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.storage import copy_reads
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document, Mongo

S = TypeVar("S", bound=Stored)
Look = Callable[[Sequence[str]], Awaitable[Mapping[str, Document]]]


class BatchLoader:
    """Batches look-ups: all ids that are requested during one query share the next. So no answer is older than its
    request.

    It returns documents as stored. A document that cannot be parsed then fails only for the caller who asked for it.
    """

    def __init__(self, most: int = 500) -> None:
        """``most``: the largest number of ids in one query."""
        self._most = most
        self._asked: dict[str, asyncio.Future[Document | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        # not the context of the first caller, because log lines of the query belong to no single request
        self._context = copy_context()

    async def get(self, id: str, look: Look) -> Document | None:
        """The document with this id, or None. Raises whatever ``look`` raises, for all who wait.

        The document is shared with other callers: do not change it.
        """
        answer = self._asked.setdefault(id, asyncio.get_running_loop().create_future())
        if self._looking is None:
            self._looking = asyncio.create_task(self._go_on(look), context=self._context)
        return await asyncio.shield(answer)

    async def _go_on(self, look: Look) -> None:
        try:
            while self._asked:
                asked = dict(islice(self._asked.items(), self._most))
                for id in asked:
                    del self._asked[id]
                await _answered(asked, look)
        finally:
            self._looking = None


async def _answered(asked: Mapping[str, "asyncio.Future[Document | None]"], look: Look) -> None:
    try:
        found = await look(list(asked))
        for id, answer in asked.items():
            answer.set_result(found.get(id))
    except Exception as error:
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # the caller may be gone
    finally:
        for answer in asked.values():
            answer.cancel()  # the query itself was cancelled: the rest has no answer


class BatchLoaders:
    """One batch loader for each collection, for all use cases of a process. It reads as the system actor."""

    def __init__(self) -> None:
        self._collections: dict[str, BatchLoader] = {}
        self._context = copy_context()  # of the process: a query belongs to no single request or reaction

    async def get(self, mongo: Mongo, kind: type[S], id: str) -> S | None:
        """The object with this id, or None. Raises Unavailable."""
        document = await self.document(mongo, kind.collection(), id, {"history": 0})
        return None if document is None else load(kind, document)

    async def document(self, mongo: Mongo, collection: str, id: str, show: Document) -> Document | None:
        """The document with this id, or None; ``show`` must always be the same. Raises Unavailable."""
        copy_reads.expect_declared(collection)
        loader = self._collections.setdefault(collection, self._context.run(BatchLoader))
        return await loader.get(id, partial(_documents, mongo, collection, show))


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
