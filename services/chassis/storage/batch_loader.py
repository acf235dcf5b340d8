"""What many ask for at the same moment, each by its id, found with one look."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document, Mongo

S = TypeVar("S", bound=Stored)
Look = Callable[[Sequence[str]], Awaitable[Mapping[str, Document]]]


class BatchLoader:
    """All that is asked for while one look is under way shares the next: no answer is older than its question.

    A look brings documents as they are stored: one that cannot be read is the trouble of whoever asked for it.
    """

    def __init__(self, most: int = 500) -> None:
        """``most``: how many ids one look is given."""
        self._most = most
        self._asked: dict[str, asyncio.Future[Document | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._context = copy_context()  # not that of whoever asks first: what is logged here is nobody's own

    async def get(self, id: str, look: Look) -> Document | None:
        """The document of this id, None where there is none; whatever ``look`` raises, which is the same for all.

        It is shared with others who ask: not to be changed.
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
            answer.exception()  # whoever asked may be gone
    finally:
        for answer in asked.values():
            answer.cancel()  # those that have no answer: the look itself was cancelled


class BatchLoaders:
    """What the use cases of one process look for together: each kind for itself, and with the eyes of the house."""

    def __init__(self) -> None:
        self._collections: dict[str, BatchLoader] = {}

    async def get(self, mongo: Mongo, kind: type[S], id: str) -> S | None:
        """One of a kind, None where it is not there; Unavailable."""
        document = await self.document(mongo, kind.collection(), id, {"history": 0})
        return None if document is None else load(kind, document)

    async def document(self, mongo: Mongo, collection: str, id: str, show: Document) -> Document | None:
        """One document, None where it is not there; ``show`` is the same each time. Unavailable."""
        together = self._collections.setdefault(collection, BatchLoader())
        return await together.get(id, partial(_documents, mongo, collection, show))


async def by_ids(mongo: Mongo, kind: type[S], ids: Collection[str]) -> dict[str, S]:
    """Those of these that are there, with one look and the eyes of the house; without any, none."""
    found = await _documents(mongo, kind.collection(), {"history": 0}, list(ids)) if ids else {}
    return {id: load(kind, document) for id, document in found.items()}


async def _documents(mongo: Mongo, collection: str, show: Document, ids: Sequence[str]) -> dict[str, Document]:
    found = await mongo.find(collection, {"_id": {"$in": ids}}, show=show, limit=len(ids))
    return {document["_id"]: document for document in found}
