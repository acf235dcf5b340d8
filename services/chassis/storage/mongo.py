"""MongoDB: with ``errors`` the only file that knows a driver (Motor, or PyMongo Async by setting)."""

import os
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bson.codec_options import CodecOptions
from pymongo import IndexModel, InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError

from services.chassis.domain.account import Account
from services.chassis.domain.refusals import Unavailable
from services.chassis.storage import copy_reads
from services.chassis.storage.batch_reader import BatchReader
from services.chassis.storage.batch_writer import BatchWriter
from services.chassis.storage.errors import DUPLICATE, DatabaseRefused, guarded
from services.chassis.telemetry.lazy import lazy_import

Document = dict[str, Any]

_CONNECTIONS = 64
"""Connections of one process to each node. More parallel operations are not faster. An operation that waits too long
for a connection raises Unavailable."""
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
"""Options for durable acceptance, reads without rollback and bounded waits; a URI may override them."""
_MECHANISM: Mapping[str, str] = {"authMechanism": "SCRAM-SHA-256"}
"""Never an older one, whatever a server proposes."""

Keys = tuple[tuple[str, int], ...]
"""The fields of an index with their order, as the database tells them: 1 is ascending."""


@dataclass(frozen=True, slots=True)
class DatabaseIndex:
    """One index of a collection, by the names in its documents, each ascending."""

    names: tuple[str, ...]
    sparse: bool = False
    unique: bool = False
    above: tuple[str, Any] | None = None
    """Only documents of which this field is above this value; a query must ask for no others."""
    expires: bool = False
    """Whether the database deletes a document some time after the instant in its one field."""

    @property
    def keys(self) -> Keys:
        """Its fields with their order."""
        return tuple((name, 1) for name in self.names)

    @property
    def options(self) -> Document:
        """All besides the keys, in the driver's form."""
        partial = {"partialFilterExpression": {self.above[0]: {"$gt": self.above[1]}}} if self.above else {}
        expiring = {"expireAfterSeconds": 0} if self.expires else {}
        return {"sparse": self.sparse, "unique": self.unique} | partial | expiring


@dataclass(frozen=True, slots=True)
class Among:
    """A count looks only at the ``first`` documents that it finds along its index, for those that meet ``rest`` too."""

    first: int
    rest: Document


@dataclass(frozen=True, slots=True)
class Put:
    """One update of a bulk write; with ``upsert`` it inserts if nothing matches."""

    where: Document
    update: Document | list[Document]
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class New:
    """One insert of a bulk write; skipped if its ``_id`` exists."""

    document: Document


class Mongo:
    """One database. Transient errors are raised as Unavailable, other errors as DatabaseRefused.

    A reaction that reads copies which it does not declare gets UndeclaredCopy.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._database = client.get_database(name, codec_options=CodecOptions(tz_aware=True))
        self._collection = cache(self._database.get_collection)  # making one costs as much as a small query
        self._writer = BatchWriter[Put](self._put, self.bulk)
        self._reader = BatchReader(
            lambda name, where, show, limit: self.find(name, where, show=show, limit=limit), self.aggregate
        )

    async def find_one(self, name: str, where: Document, show: Document | None = None) -> Document | None:
        """The first document that matches, or None."""
        copy_reads.expect_declared(name)
        found: Document | None = await guarded(self._collection(name).find_one(where, show))
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
        copy_reads.expect_declared(name)
        order = list(sort) or None
        cursor = self._collection(name).find(where, show, limit=limit, batch_size=limit, sort=order, hint=hint)
        found: list[Document] = await guarded(cursor.to_list(limit))
        return found

    async def by_ids(
        self, name: str, ids: Collection[str], show: Mapping[str, int] | None = None
    ) -> Mapping[str, Document]:
        """The documents of these ids that exist, by id; no query for no ids. Concurrent calls share a round trip.

        They may be shared with other callers: do not change them.
        """
        copy_reads.expect_declared(name)
        return await self._reader.read(name, ids, tuple((show or {}).items()))

    async def each(
        self, name: str, where: Document, show: Document | None = None, batch: int = 200
    ) -> AsyncIterator[list[Document]]:
        """All documents that match, in batches, ordered by ``_id``. No cursor stays open, so an election does not break
        it.

        Documents that are inserted meanwhile may be included or not. Documents that existed before are never missed.
        """
        beyond: Document = where
        while found := await self.find(name, beyond, show=show, sort=[("_id", 1)], limit=batch):
            yield found
            beyond = (
                {"$and": [where, {"_id": {"$gt": found[-1]["_id"]}}]} if where else {"_id": {"$gt": found[-1]["_id"]}}
            )

    async def aggregate(self, name: str, stages: list[Document], limit: int, hint: str | None = None) -> list[Document]:
        """At most ``limit`` results of an aggregation pipeline; ``hint`` names the index to use."""
        copy_reads.expect_declared(name)
        along = {} if hint is None else {"hint": hint}
        # One round trip: the server closes a cursor whose first batch is not full.
        cursor = self._collection(name).aggregate(stages, batchSize=limit + 1, **along)
        if isinstance(cursor, Awaitable):
            cursor = await guarded(cursor)
        results: list[Document] = await guarded(cursor.to_list(limit))
        return results

    async def count(
        self, name: str, where: Document, limit: int, hint: str | None = None, among: Among | None = None
    ) -> int:
        """How many documents match, read along the index ``hint``; stops counting at ``limit``."""
        copy_reads.expect_declared(name)
        if among is not None:
            first: list[Document] = [{"$match": where}, {"$limit": among.first}, {"$match": among.rest}]
            found = await self.aggregate(name, [*first, {"$limit": limit}, {"$count": "number"}], 1, hint)
            return int(found[0]["number"]) if found else 0
        along = {} if hint is None else {"hint": hint}
        counted: int = await guarded(self._collection(name).count_documents(where, limit=limit, **along))
        return counted

    async def insert(self, name: str, document: Document) -> None:
        """Insert one document; Duplicate if its ``_id``, or a value of a unique index, exists."""
        await guarded(self._collection(name).insert_one(document))

    async def update(self, name: str, where: Document, change: Any, *, upsert: bool = False) -> int:
        """Update one document; returns how many matched or were inserted (0 or 1).

        Duplicate if an upsert lost a race.
        """
        result = await guarded(self._collection(name).update_one(where, change, upsert=upsert))
        return int(result.matched_count + (result.upserted_id is not None))

    async def update_batched(
        self, name: str, where: Document, change: Document, *, upsert: bool = False
    ) -> bool | None:
        """Update one document, in one round trip with concurrent updates of the collection; whether it matched.

        ``change`` must change what ``where`` matches. None where it is not known whether it matched, because one of the
        round trip did not. Duplicate where a unique index refuses it.
        """
        return await self._writer.write(name, Put(where, change, upsert))

    async def _put(self, name: str, put: Put) -> int:
        return await self.update(name, put.where, put.update, upsert=put.upsert)

    async def find_or_make(self, name: str, where: Document, fields: Document) -> Document:
        """The document that matches, or a new one with these fields. Duplicate if the insert lost a race."""
        write = self._collection(name).find_one_and_update(
            where, {"$setOnInsert": fields}, upsert=True, return_document=ReturnDocument.AFTER
        )
        found: Document = await guarded(write)
        return found

    async def bulk(self, name: str, writes: Sequence[Put | New]) -> int:
        """Many writes in one round trip; updates that match nothing and existing ids are skipped. Returns how many had
        an effect.

        DatabaseRefused if a write fails for another reason.
        """
        if not writes:
            return 0
        try:
            result = await guarded(self._collection(name).bulk_write([_operation(w) for w in writes], ordered=False))
        except BulkWriteError as error:
            details = error.details
            if details.get("writeConcernErrors"):
                raise Unavailable(retry_after=2) from error
            if refused := {e["code"] for e in details["writeErrors"] if not _is_skipped(e)}:
                raise DatabaseRefused(f"{name}: {sorted(refused)}") from None
            return int(details["nInserted"] + details["nModified"] + details["nUpserted"])
        return int(result.inserted_count + result.modified_count + result.upserted_count)

    async def delete(self, name: str, where: Document) -> int:
        """Delete one document; returns how many were deleted (0 or 1)."""
        result = await guarded(self._collection(name).delete_one(where))
        return int(result.deleted_count)

    async def build_indexes(self, name: str, indexes: Sequence[DatabaseIndex]) -> None:
        """Build the indexes that are missing, all in one pass through the collection."""
        models = [IndexModel(list(index.keys), **index.options) for index in indexes]
        await guarded(self._collection(name).create_indexes(models))

    async def indexes(self, name: str) -> dict[Keys, bool]:
        """The keys of every index of a collection, and whether it is unique."""
        known: Mapping[str, Any] = await guarded(self._collection(name).index_information())
        keys = [(tuple((k, int(order)) for k, order in one["key"]), bool(one.get("unique"))) for one in known.values()]
        return {each: any(unique for other, unique in keys if other == each) for each, _ in keys}

    async def command(self, *command: Any, **options: Any) -> Document:
        """Run a database command, such as ``ping`` or ``explain``."""
        answer: Document = await guarded(self._database.command(*command, **options))
        return answer

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """A session, for commands that continue one cursor."""
        starting = self._client.start_session()
        async with await guarded(starting) if isinstance(starting, Awaitable) else starting as session:
            yield session

    async def close(self) -> None:
        """Close the connections."""
        closing = self._client.close()
        if isinstance(closing, Awaitable):
            await closing


def connect(uri: str, driver: str = "motor", account: Account | None = None) -> Mongo:
    """The database that a URI names, with the driver ``motor`` or ``pymongo``. It connects on first use.

    Unless the URI says otherwise, writes are on a majority and journaled, reads see nothing that can be rolled back,
    and every wait is bounded. ``account`` is the one that signs in, if the URI does not hold it.
    """
    # Motor runs on threads. Its default of five per core is too few for majority writes. It reads this setting on
    # import.
    os.environ.setdefault("MOTOR_MAX_WORKERS", str(_CONNECTIONS))
    module, name = {
        "motor": ("motor.motor_asyncio", "AsyncIOMotorClient"),
        "pymongo": ("pymongo", "AsyncMongoClient"),
    }[driver]
    said = {option.lower() for option, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)}
    unsaid = {option: value for option, value in _PROMISED.items() if option.lower() not in said}
    signing_in = {} if account is None else {"username": account.name, "password": account.password, **_MECHANISM}
    client = lazy_import(module, name)(uri, **unsaid, **signing_in)
    return Mongo(client, client.get_default_database().name)


def _operation(write: Put | New) -> Any:
    return (
        InsertOne(write.document)
        if isinstance(write, New)
        else UpdateOne(write.where, write.update, upsert=write.upsert)
    )


def _is_skipped(error: Document) -> bool:
    """Whether an insert failed only because its ``_id`` exists, and not a value of another unique index."""
    return bool(error["code"] == DUPLICATE and error.get("keyPattern", {"_id": 1}) == {"_id": 1})
