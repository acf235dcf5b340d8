"""Indexes: declared in the code, built by ``migrate``, checked by ``readyz``, never built at start."""

import asyncio
import time
from collections.abc import Collection, Iterable, Iterator, Sequence

from services.chassis.domain.entity import Entity, Index, Stored
from services.chassis.domain.refusals import Unavailable
from services.chassis.storage import archive, counters, revocations
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.listings import LISTINGS
from services.chassis.storage.mongo import DatabaseIndex, Keys, Mongo

_OUTBOX = (DatabaseIndex(("pending",), sparse=True), DatabaseIndex(("stuck",), sparse=True))
_OWN = {
    "audit": (
        DatabaseIndex(("subjects", "at", "_id")),
        DatabaseIndex(("actor", "at", "_id")),
        DatabaseIndex(("at", "_id")),
    ),
    "keys": (DatabaseIndex(("pending",), sparse=True), DatabaseIndex(("sweeps",), sparse=True)),
    "dropped": (DatabaseIndex(("topic", "partition")),),
    "parked": (
        DatabaseIndex(("topic", "partition", "offset")),
        DatabaseIndex(("reaction", "entity", "offset")),
        DatabaseIndex(("replay",), sparse=True),
    ),
    counters.COLLECTION: (DatabaseIndex((counters.FIELD,), expires=True),),
    revocations.COLLECTION: (
        DatabaseIndex((revocations.FIELD,), expires=True),
        DatabaseIndex((revocations.FIELD, "_id")),
    ),
}


_NOT = {True: "but not unique", False: "but unique, which it cannot be in a sharded collection"}
_LONGEST_SECONDS = 3600


class IndexDiffers(Exception):
    """An index cannot be built as it is declared; the text says what to do."""


def declared(
    kinds: Iterable[type[Stored]], sharded: Collection[str] = frozenset()
) -> Iterator[tuple[str, DatabaseIndex]]:
    """Every index that a service needs, with its collection; none is unique in the collections that are ``sharded``."""
    for name, indexes in _OWN.items():
        for index in indexes:
            yield name, index
    for kind in kinds:
        whole = kind.collection() not in sharded
        own = (_own_index(kind, one, unique=one.unique and whole) for one in kind.indexes)
        listed = (index for listing in LISTINGS.get(kind, ()) for index in listing.indexes())
        for index in dict.fromkeys((*own, *listed, *(_OUTBOX if issubclass(kind, Entity) else ()))):
            yield kind.collection(), index
        if issubclass(kind, Entity):
            yield archive.collection_of(kind.collection()), archive.INDEX


async def build(mongo: Mongo, kinds: Iterable[type[Stored]], sharded: Collection[str] = frozenset()) -> int:
    """Build every declared index that is missing, in up to an hour for each collection; returns how many are declared.

    IndexDiffers where one is there but differs in being unique, or where two documents have the same value. Unavailable
    where the database is away, or takes longer.
    """
    indexes = list(declared(kinds, sharded))
    by_collection: dict[str, list[DatabaseIndex]] = {}
    for name, index in indexes:
        by_collection.setdefault(name, []).append(index)
    for name, of_it in by_collection.items():
        there = await mongo.indexes(name)
        for index in of_it:
            if there.get(index.keys, index.unique) != index.unique:
                said = f"{_named(name, index)}: it is there, {_NOT[index.unique]}. Drop it, then migrate again"
                raise IndexDiffers(said)
        try:
            await _built(mongo, name, of_it)
        except Duplicate as error:
            raise IndexDiffers(f"{name}: two documents have the same {error}, which must be unique") from None
    return len(indexes)


async def _built(mongo: Mongo, name: str, indexes: Sequence[DatabaseIndex]) -> None:
    # A large collection, or a busy replica set, takes longer than a call may. The database goes on building, and who
    # asks again waits for the same build.
    until = time.monotonic() + _LONGEST_SECONDS
    while True:
        try:
            return await mongo.build_indexes(name, indexes)
        except Unavailable:
            if time.monotonic() > until:
                raise
            await mongo.command("ping")
            await asyncio.sleep(1)


async def missing(mongo: Mongo, kinds: Iterable[type[Stored]], sharded: Collection[str] = frozenset()) -> list[str]:
    """The declared indexes that are missing, or are not unique though declared so, by collection and keys."""
    known: dict[str, dict[Keys, bool]] = {}
    lacking = []
    for name, index in declared(kinds, sharded):
        if name not in known:
            known[name] = await mongo.indexes(name)
        if index.keys not in known[name] or known[name][index.keys] < index.unique:
            lacking.append(_named(name, index))
    return lacking


def _own_index(kind: type[Stored], index: Index, *, unique: bool) -> DatabaseIndex:
    names = tuple(map(kind.stored_name, index.fields))
    return DatabaseIndex(names, index.sparse, unique, None if index.above is None else (names[0], index.above))


def _named(name: str, index: DatabaseIndex) -> str:
    return f"{name}({', '.join(index.names)}){' unique' if index.unique else ''}"
