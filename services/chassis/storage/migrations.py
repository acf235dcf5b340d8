"""Indexes: declared in the code, built by ``migrate``, checked by ``readyz``, never built at start."""

from collections.abc import Iterable, Iterator

from services.chassis.domain.entity import Entity, Index, Stored
from services.chassis.storage import archive
from services.chassis.storage.listings import LISTINGS
from services.chassis.storage.mongo import Mongo

_OUTBOX = (Index((("pending", 1),), sparse=True), Index((("stuck", 1),), sparse=True))
_HOUSE = {
    "audit": (
        Index((("subjects", 1), ("at", 1), ("_id", 1))),
        Index((("actor", 1), ("at", 1), ("_id", 1))),
        Index((("at", 1), ("_id", 1))),
    ),
    "keys": (Index((("pending", 1),), sparse=True), Index((("sweeps", 1),), sparse=True)),
    "dropped": (Index((("topic", 1), ("partition", 1))),),
    "parked": (
        Index((("topic", 1), ("partition", 1), ("offset", 1))),
        Index((("reaction", 1), ("entity", 1), ("offset", 1))),
        Index((("replay", 1),), sparse=True),
    ),
}


def declared(kinds: Iterable[type[Stored]]) -> Iterator[tuple[str, Index]]:
    """Every index that a service needs, with its collection."""
    for name, indexes in _HOUSE.items():
        for index in indexes:
            yield name, index
    for kind in kinds:
        listed = (index for listing in LISTINGS.get(kind, ()) for index in listing.indexes())
        for index in dict.fromkeys((*kind.indexes, *listed, *(_OUTBOX if issubclass(kind, Entity) else ()))):
            yield kind.collection(), index
        if issubclass(kind, Entity):
            yield archive.collection_of(kind.collection()), archive.INDEX


async def build(mongo: Mongo, kinds: Iterable[type[Stored]]) -> int:
    """Build every declared index that is missing; returns how many are declared."""
    indexes = list(declared(kinds))
    by_collection: dict[str, list[Index]] = {}
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
            lacking.append(f"{name}({', '.join(key for key, _ in index.keys)})")
    return lacking
