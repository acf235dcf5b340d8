"""MongoDB: the only file that knows a driver (Motor, or PyMongo Async by setting)."""

import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from pymongo import InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from services.chassis.domain.refusals import Unavailable

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


class Duplicate(Exception):
    """A document with this ``_id`` is there already."""


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
    """One database, by collection name. Lost connections and time-outs are raised as ``Unavailable``."""

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
        cursor = self._database[name].find(where, show, limit=limit, sort=list(sort) or None, hint=hint)
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
        cursor = self._database[name].aggregate(pipeline)
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
        """Many writes in one round trip; what is newer or there already is passed over. How many were changed."""
        if not writes:
            return 0
        try:
            result = await _guarded(self._database[name].bulk_write([_operation(w) for w in writes], ordered=False))
        except BulkWriteError as error:
            details = error.details
            if details.get("writeConcernErrors"):
                raise Unavailable(retry_after=2) from error
            if any(e.get("code") != _DUPLICATE for e in details["writeErrors"]):
                raise
            return int(details["nInserted"] + details["nModified"] + details["nUpserted"])
        return int(result.inserted_count + result.modified_count + result.upserted_count)

    async def delete(self, name: str, where: Document) -> int:
        """Remove one document; how many were removed (0 or 1)."""
        result = await _guarded(self._database[name].delete_one(where))
        return int(result.deleted_count)

    async def build_index(self, name: str, keys: Sequence[tuple[str, int]], **options: Any) -> None:
        """Build an index unless it is there already."""
        await _guarded(self._database[name].create_index(list(keys), **options))

    async def index_keys(self, name: str) -> list[tuple[tuple[str, int], ...]]:
        """The keys of every index of a collection."""
        known: Mapping[str, Any] = await _guarded(self._database[name].index_information())
        return [tuple((key, int(order)) for key, order in entry["key"]) for entry in known.values()]

    async def command(self, *command: Any, **options: Any) -> Document:
        """A database command, such as ``ping`` or ``explain``."""
        answer: Document = await _guarded(self._database.command(*command, **options))
        return answer

    @asynccontextmanager
    async def watch(self, name: str, pipeline: list[Document], wait_ms: int) -> AsyncIterator[Any]:
        """The live changes of a collection: a stream whose ``try_next()`` waits up to ``wait_ms``."""
        opening = self._database[name].watch(pipeline, max_await_time_ms=wait_ms)
        stream = await _guarded(opening) if isinstance(opening, Awaitable) else opening
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """Close the connections."""
        closing = self._client.close()
        if isinstance(closing, Awaitable):
            await closing


def connect(uri: str, driver: str = "motor") -> Mongo:
    """The database that a URI names, through ``motor`` or ``pymongo``; connections open when first used."""
    # Motor runs on threads; its default of five a core starves under majority writes. It reads this when imported.
    os.environ.setdefault("MOTOR_MAX_WORKERS", "64")
    module, name = {
        "motor": ("motor.motor_asyncio", "AsyncIOMotorClient"),
        "pymongo": ("pymongo", "AsyncMongoClient"),
    }[driver]
    client = getattr(importlib.import_module(module), name)(uri)
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
        raise Duplicate(str(error.details.get("keyValue") if error.details else error)) from error
    except _AWAY as error:
        raise Unavailable(retry_after=2) from error
    except PyMongoError as error:
        # Raised while a primary steps down or an index is built elsewhere; the driver marks what may be tried again.
        if error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError"):
            raise Unavailable(retry_after=2) from error
        raise
