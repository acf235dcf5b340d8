"""Objects by their ids: concurrent look-ups share a round trip. They are read as the system."""

from collections.abc import Collection
from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.storage import copy_reads
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Mongo

S = TypeVar("S", bound=Stored)


async def by_id(mongo: Mongo, kind: type[S], id: str) -> S | None:
    """The object of this id, or None. Raises as ``by_ids``."""
    return (await by_ids(mongo, kind, [id])).get(id)


async def by_ids(mongo: Mongo, kind: type[S], ids: Collection[str]) -> dict[str, S]:
    """The objects of these ids that exist; no query for no ids. Raises Unavailable.

    Copies that were written in the batch of a reaction are taken from there. A document that cannot be parsed fails
    only for the caller who asked for it.
    """
    copy_reads.expect_declared(kind.collection())
    written = copy_reads.written(kind.collection())
    found = {id: written[id] for id in ids if id in written}
    missing = [id for id in ids if id not in written]
    found |= await mongo.by_ids(kind.collection(), missing, {"history": 0})
    return {id: load(kind, document) for id, document in found.items()}
