"""Claims and unique values: what at most one entity may have, without an event."""

from collections.abc import Collection, Iterable
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import KeyReused
from services.chassis.domain.values import id_from
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Mongo

COLLECTION = "claims"

UniqueValue = tuple[str, str]
"""A field, by its name in documents, and a value of it that only one entity may have."""


class Conflict(Exception):
    """Another writer was first: the use case runs again from its load.

    ``taken``: values of unique fields that turned out to be another entity's.
    """

    def __init__(self, taken: frozenset[UniqueValue] = frozenset()) -> None:
        super().__init__(", ".join(name for name, _ in taken))
        self.taken = taken


class Claims:
    """The claims of one use case: natural keys of entities, and values that must be unique."""

    def __init__(
        self, mongo: Mongo, cause: str, sharded: Collection[str] = (), taken: Collection[UniqueValue] = ()
    ) -> None:
        """``sharded``: collections that no unique index spans. ``taken``: what an earlier run of the use case met."""
        self._mongo, self._cause = mongo, cause
        self._sharded, self._taken = sharded, taken

    async def claim(self, kind: str, natural_key: str, id: str | None = None) -> str:
        """The id for a natural key, created or given by the first caller. Idempotent.

        Conflict if a concurrent request claims it at this moment.
        """
        key = f"{kind}|{natural_key}"
        fresh = id or id_from(kind, self._cause + key)
        try:
            return str((await self._mongo.find_or_make(COLLECTION, {"_id": key}, {"id": fresh}))["id"])
        except Duplicate:  # a concurrent request claimed it between the server's look-up and its insert
            theirs = await self.find(kind, natural_key)
            if theirs is None:  # that claim is not on a majority yet, so it may still become the one that counts
                raise Conflict from None
            return theirs

    async def find(self, kind: str, natural_key: str) -> str | None:
        """The id for a natural key, or None if nobody has claimed it."""
        found = await self._mongo.find_one(COLLECTION, {"_id": f"{kind}|{natural_key}"})
        return None if found is None else str(found["id"])

    async def bind(self, kind: str, id: str) -> None:
        """Bind this cause to an id that comes from a claim or a code; KeyReused if it already made another."""
        if await self.claim("cause", f"{kind}|{self._cause}", id) != id:
            raise KeyReused

    async def bound(self, kind: str) -> str | None:
        """The id to which this cause is bound: by an earlier run of the same request."""
        return await self.find("cause", f"{kind}|{self._cause}")

    async def unique(self, kind: type[Entity[Any]], field: str, candidates: Iterable[str], id: str) -> str:
        """The first of these values of a field that no other entity has, for the entity ``id`` that is being created.

        The unique index of the field decides at the insert: a value that turns out to be taken is passed over when the
        use case runs again. In a sharded collection the value is claimed first. RuntimeError where all are taken.
        """
        name = kind.stored_name(field)
        for value in candidates:
            if (name, value) in self._taken:
                continue
            if kind.collection() not in self._sharded or await self._claims(kind, field, value, id):
                return value
        raise RuntimeError(f"every {field} for {id} is taken")

    async def _claims(self, kind: type[Entity[Any]], field: str, value: str, id: str) -> bool:
        if await self.claim(f"{kind.entity_type}.{field}", value, id) != id:
            return False
        # Given before the collection was sharded, when there was an index and no claim.
        holder = await self._mongo.find_one(kind.collection(), kind.where(**{field: value}), {"_id": 1})
        return holder is None or holder["_id"] == id
