"""Indexes: declared in the code, built by ``migrate``, checked by ``readyz``, never built at start."""

from collections.abc import Iterable, Iterator

from services.chassis.domain.entity import Entity, Stored
from services.chassis.storage import archive
from services.chassis.storage.listings import LISTINGS
from services.chassis.storage.mongo import DatabaseIndex, Mongo

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
}


def declared(kinds: Iterable[type[Stored]]) -> Iterator[tuple[str, DatabaseIndex]]:
    """Every index that a service needs, with its collection."""
    for name, indexes in _OWN.items():
        for index in indexes:
            yield name, index
    for kind in kinds:
        own = (DatabaseIndex(tuple(map(kind.stored_name, one.fields)), one.sparse) for one in kind.indexes)
        listed = (index for listing in LISTINGS.get(kind, ()) for index in listing.indexes())
        for index in dict.fromkeys((*own, *listed, *(_OUTBOX if issubclass(kind, Entity) else ()))):
            yield kind.collection(), index
        if issubclass(kind, Entity):
            yield archive.collection_of(kind.collection()), archive.INDEX


async def build(mongo: Mongo, kinds: Iterable[type[Stored]]) -> int:
    """Build every declared index that is missing; returns how many are declared."""
    indexes = list(declared(kinds))
    by_collection: dict[str, list[DatabaseIndex]] = {}
    for name, index in indexes:
        by_collection.setdefault(name, []).append(index)
    for name, of_it in by_collection.items():
        await mongo.build_indexes(name, of_it)
    return len(indexes)


async def missing(mongo: Mongo, kinds: Iterable[type[Stored]]) -> list[str]:
    """The declared indexes that are missing, by collection and keys."""
    known: dict[str, list[tuple[tuple[str, int], ...]]] = {}
    lacking = []
    for name, index in declared(kinds):
        if name not in known:
            known[name] = await mongo.index_keys(name)
        if index.keys not in known[name]:
            lacking.append(f"{name}({', '.join(index.names)})")
    return lacking
