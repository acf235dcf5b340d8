"""MongoDB: the only file that knows a driver (Motor, or PyMongo Async by setting)."""

import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from bson.codec_options import CodecOptions
from pymongo import IndexModel, InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from services.chassis.domain.entity import Index
from services.chassis.domain.refusals import Unavailable
from services.chassis.telemetry.lazy import lazy_import

Document = dict[str, Any]
T = TypeVar("T")

_AWAY = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)
_DUPLICATE = 11000
_WAITING_MENDS = frozenset({43, 134, 262, 286})
"""Server codes: a cursor that went with its node, no majority known yet after a start, no time left for the work, a
stream whose place in the log is gone."""
_CONNECTIONS = 64
"""Of a process to each node. More asked at once is not answered sooner; who waits too long for one is told so."""
_PROMISED: Mapping[str, Any] = {
    "w": "majority",
    "journal": True,
    "wtimeoutMS": 5_000,
    "readConcernLevel": "majority",
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 3_000,
    "socketTimeoutMS": 10_000,
    "maxPoolSize": _CONNECTIONS,
    "waitQueueTimeoutMS": 5_000,
}
"""What durable acceptance, no phantoms and a defined outage rest on, where a URI does not say otherwise."""


class Duplicate(Exception):
    """A document with this ``_id`` is there already."""


class DatabaseRefused(Exception):
    """The database does not do what it was asked: told by its codes, since its text may hold a whole document."""


@dataclass(frozen=True, slots=True)
class Put:
    """One write of a bulk: an update, made an insert where ``upsert`` says so and nothing matches."""

    where: Document
    update: Document | list[Document]
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class New:
    """One insert of a bulk; one whose ``_id`` is there already is passed over."""

    document: Document


class Mongo:
    """One database, by collection name. What waiting mends is raised as Unavailable, another no as DatabaseRefused."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._database = client.get_database(name, codec_options=CodecOptions(tz_aware=True))

    async def find_one(self, name: str, where: Document, show: Document | None = None) -> Document | None:
        """The first document that matches, or None."""
        found: Document | None = await _guarded(self._database[name].find_one(where, show))
        return found

    async def find(
        self,
        name: str,
        where: Document,
        *,
        show: Document | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int,
        hint: str | None = None,
    ) -> list[Document]:
        """At most ``limit`` documents that match, in order."""
        order = list(sort) or None
        cursor = self._database[name].find(where, show, limit=limit, batch_size=limit, sort=order, hint=hint)
        found: list[Document] = await _guarded(cursor.to_list(limit))
        return found

    async def each(
        self, name: str, where: Document, show: Document | None = None, batch: int = 200
    ) -> AsyncIterator[list[Document]]:
        """All that match, batch by batch in the order of ``_id``: no cursor stays open, no election breaks it.

        What is inserted meanwhile may or may not be among them; nothing that was there before is missed.
        """
        beyond: Document = where
        while found := await self.find(name, beyond, show=show, sort=[("_id", 1)], limit=batch):
            yield found
            beyond = (
                {"$and": [where, {"_id": {"$gt": found[-1]["_id"]}}]} if where else {"_id": {"$gt": found[-1]["_id"]}}
            )

    async def aggregate(self, name: str, pipeline: list[Document], limit: int) -> list[Document]:
        """At most ``limit`` results of a pipeline."""
        # One round trip; a first batch that is not full leaves no cursor open.
        cursor = self._database[name].aggregate(pipeline, batchSize=limit + 1)
        if isinstance(cursor, Awaitable):
            cursor = await _guarded(cursor)
        results: list[Document] = await _guarded(cursor.to_list(limit))
        return results

    async def count(self, name: str, where: Document, limit: int) -> int:
        """How many match, counted up to ``limit``."""
        counted: int = await _guarded(self._database[name].count_documents(where, limit=limit))
        return counted

    async def insert(self, name: str, document: Document) -> None:
        """Insert one document; Duplicate where its ``_id`` is taken."""
        await _guarded(self._database[name].insert_one(document))

    async def update(self, name: str, where: Document, change: Any, *, upsert: bool = False) -> int:
        """Change one document; how many matched or were made (0 or 1). Duplicate where an upsert lost a race."""
        result = await _guarded(self._database[name].update_one(where, change, upsert=upsert))
        return int(result.matched_count + (result.upserted_id is not None))

    async def find_or_make(self, name: str, where: Document, fields: Document) -> Document:
        """The document that matches, made with these fields where there is none. Duplicate where it lost a race."""
        write = self._database[name].find_one_and_update(
            where, {"$setOnInsert": fields}, upsert=True, return_document=ReturnDocument.AFTER
        )
        found: Document = await _guarded(write)
        return found

    async def bulk(self, name: str, writes: Sequence[Put | New]) -> int:
        """Many writes in one round trip; what is newer or there already is passed over. How many were changed.

        DatabaseRefused where one fails for another reason.
        """
        if not writes:
            return 0
        try:
            result = await _guarded(self._database[name].bulk_write([_operation(w) for w in writes], ordered=False))
        except BulkWriteError as error:
            details = error.details
            if details.get("writeConcernErrors"):
                raise Unavailable(retry_after=2) from error
            if refused := {e["code"] for e in details["writeErrors"]} - {_DUPLICATE}:
                raise DatabaseRefused(f"{name}: {sorted(refused)}") from None
            return int(details["nInserted"] + details["nModified"] + details["nUpserted"])
        return int(result.inserted_count + result.modified_count + result.upserted_count)

    async def delete(self, name: str, where: Document) -> int:
        """Remove one document; how many were removed (0 or 1)."""
        result = await _guarded(self._database[name].delete_one(where))
        return int(result.deleted_count)

    async def build_indexes(self, name: str, indexes: Sequence[Index]) -> None:
        """Build those that are not there already, all in one pass through the collection."""
        models = [IndexModel(list(index.keys), sparse=index.sparse) for index in indexes]
        await _guarded(self._database[name].create_indexes(models))

    async def index_keys(self, name: str) -> list[tuple[tuple[str, int], ...]]:
        """The keys of every index of a collection."""
        known: Mapping[str, Any] = await _guarded(self._database[name].index_information())
        return [tuple((key, int(order)) for key, order in entry["key"]) for entry in known.values()]

    async def command(self, *command: Any, **options: Any) -> Document:
        """A database command, such as ``ping`` or ``explain``."""
        answer: Document = await _guarded(self._database.command(*command, **options))
        return answer

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """A session: commands that go on with one cursor are given it as ``session``."""
        starting = self._client.start_session()
        async with await _guarded(starting) if isinstance(starting, Awaitable) else starting as session:
            yield session

    async def close(self) -> None:
        """Close the connections."""
        closing = self._client.close()
        if isinstance(closing, Awaitable):
            await closing


def connect(uri: str, driver: str = "motor") -> Mongo:
    """The database that a URI names, through ``motor`` or ``pymongo``; connections open when first used.

    Writes are on a majority and journaled, reads see nothing that could be rolled back, and nothing waits for ever,
    unless the URI says otherwise.
    """
    # Motor runs on threads; its default of five a core starves under majority writes. It reads this when imported.
    os.environ.setdefault("MOTOR_MAX_WORKERS", str(_CONNECTIONS))
    module, name = {
        "motor": ("motor.motor_asyncio", "AsyncIOMotorClient"),
        "pymongo": ("pymongo", "AsyncMongoClient"),
    }[driver]
    said = {option.lower() for option, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)}
    unsaid = {option: value for option, value in _PROMISED.items() if option.lower() not in said}
    client = lazy_import(module, name)(uri, **unsaid)
    return Mongo(client, client.get_default_database().name)


def _operation(write: Put | New) -> Any:
    return (
        InsertOne(write.document)
        if isinstance(write, New)
        else UpdateOne(write.where, write.update, upsert=write.upsert)
    )


async def _guarded(work: Awaitable[T]) -> T:
    try:
        return await work
    except DuplicateKeyError as error:
        raise Duplicate from error
    except _AWAY as error:
        raise Unavailable(retry_after=2) from error
    except OperationFailure as error:
        if _passes(error):
            raise Unavailable(retry_after=2) from error
        if isinstance(error, BulkWriteError):
            raise  # ``bulk`` looks into it
        raise DatabaseRefused(f"{type(error).__name__} {error.code}") from error


def _passes(error: OperationFailure) -> bool:
    """Whether waiting mends it. While a primary steps down the driver marks what may be tried again."""
    labelled = any(error.has_error_label(label) for label in ("RetryableWriteError", "TransientTransactionError"))
    return labelled or error.code in _WAITING_MENDS
