"""Loads and writes entities: one document holds the state and its own outbox."""

import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import reduce
from operator import getitem
from typing import Any, TypeVar

from services.chassis.domain.entity import Entity, Stored
from services.chassis.domain.events import Origin, Recorded, expect_known
from services.chassis.domain.paging import Order, Page
from services.chassis.domain.refusals import KeyReused, Kind, NotFound, Refusal, Stale, refusal_from
from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.chassis.domain.values import id_from
from services.chassis.storage import archive, search
from services.chassis.storage.claims import Conflict
from services.chassis.storage.documents import changing, draft, load, matched, wrapped_key
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Among, Document, Mongo
from services.chassis.storage.prefetched import Prefetched
from services.chassis.storage.vault import Vault
from services.chassis.telemetry import metrics

S = TypeVar("S", bound=Stored)
N = TypeVar("N", bound="Entity[Any]")

EntryCheck = Callable[["Entity[Any]"], Awaitable[None]]
"""Refuses a change of an entity as it was loaded, or as it is before its first event."""

_NO_HISTORY = {"history": 0}


class AlreadyDone(Exception):
    """This cause has already written: the answer is the entity as that write left it."""

    def __init__(self, kind: "type[Entity[Any]]", id: str) -> None:
        super().__init__(id)
        self.kind, self.id = kind, id


class Taken(Refusal):
    kind = Kind.STATE


def without_keys(id: str) -> bytes:
    """For stores that make nothing with a key of its own."""
    raise RuntimeError(f"{id} needs a key of its own: give the store a vault")


class Store:
    """A service's database for one use case: narrowed to its actor, with the origin of its writes."""

    def __init__(
        self,
        mongo: Mongo,
        actor: Actor,
        origin: Origin,
        if_match: frozenset[int] | None = None,
        new_key: Callable[[str], bytes] = without_keys,
        guard: EntryCheck | None = None,
        vault: Vault | None = None,
        sharded: Collection[str] = (),
        prefetched: Prefetched | None = None,
    ) -> None:
        """``new_key`` makes the wrapped key of a new entity whose kind has keys of its own.

        ``vault`` opens the sealed fields that are searched; what it opens is not noted.

        ``sharded``: collections in which an ``_id`` is unique in each shard only.

        ``prefetched``: what was read already of the entity that is changed.
        """
        self._sharded, self._prefetched = sharded, prefetched
        self._mongo, self._vault = mongo, vault
        self.actor = actor
        self._origin, self._if_match = origin, if_match
        self._new_key, self._guard = new_key, guard
        self._writing: list[str] = []  # shared with ``as_system``

    def as_system(self) -> "Store":
        """The same store as the system actor, for rules that depend on what the actor may not read."""
        seeing = copy.copy(self)
        seeing.actor = system_actor(self._origin.by)
        return seeing

    @property
    def vault(self) -> Vault:
        """Where sealed fields are opened to make their tokens; RuntimeError for a store that was given none."""
        if self._vault is None:
            raise RuntimeError("this store has no vault")
        return self._vault

    async def get(self, kind: type[S], id: str) -> S:
        """One object that the actor may see; NotFound otherwise."""
        document = await self._mongo.find_one(kind.collection(), self._narrow(kind, {"_id": id}), _NO_HISTORY)
        if document is None:
            raise NotFound
        return load(kind, document)

    async def find(
        self, kind: type[S], where: Document, *, order: Order, limit: int, hint: str | None = None
    ) -> list[S]:
        """The first ``limit`` objects that match and that the actor may see; ``hint`` names the index to use."""
        found = await self._mongo.find(
            kind.collection(), self._narrow(kind, where), show=_NO_HISTORY, sort=order.keys, limit=limit, hint=hint
        )
        return [load(kind, document) for document in found]

    async def count(
        self, kind: type[Stored], where: Document, *, limit: int, hint: str | None = None, among: Among | None = None
    ) -> int:
        """How many objects match that the actor may see, up to ``limit``; ``hint`` names the index."""
        return await self._mongo.count(kind.collection(), self._narrow(kind, where), limit, hint, among)

    async def page(self, kind: type[S], where: Document, *, order: Order, limit: int, after: str | None) -> Page[S]:
        """One page of a list; CursorInvalid for a cursor of another list."""
        narrow = self._narrow(kind, where)
        found = await self._mongo.find(
            kind.collection(), order.beyond(narrow, after), show=_NO_HISTORY, sort=order.keys, limit=limit + 1
        )
        items = [load(kind, document) for document in found[:limit]]
        return Page(items, order.cursor(narrow, found[limit - 1]) if len(found) > limit else None)

    async def history(self, kind: type[N], id: str) -> list[Recorded]:
        """The history of an entity that the actor may see, oldest first."""
        return (await self._with_history(kind, self._narrow(kind, {"_id": id})))[1]

    async def as_left(self, kind: type[N], id: str) -> N:
        """An entity as the write of this cause left it, without later events."""
        document, history = await self._with_history(kind, {"_id": id})
        version = max(event.version for event in history if event.cause == self._origin.cause)
        entity = kind.fold(id, (event for event in history if event.version <= version))
        entity.set_key(wrapped_key(document))  # as it is now: what was forgotten since stays so
        return entity

    @asynccontextmanager
    async def change(self, kind: type[N], id: str) -> AsyncIterator[N]:
        """Load, let the body change, write. The first statement of a use case that changes an entity.

        Raises AlreadyDone, KeyReused, NotFound, SchemaTooNew, Stale and what the guard refuses on entry, Conflict on
        leaving.
        """
        self._only_write(id)
        document = await self._document(kind, id, kind.visible(self.actor))
        if document is None:
            raise NotFound
        entity = self._opened(kind, document)
        self._expect_match(entity)
        async with self._kept(entity, document):
            yield entity

    @asynccontextmanager
    async def create(self, kind: type[N], id: str | None = None) -> AsyncIterator[N]:
        """A new entity, whose id is made from the cause unless a claim gave it. The first statement of a use case.

        Raises AlreadyDone, KeyReused, Taken, what the guard refuses and, on leaving, Conflict. An id from the cause is
        there only if this is a repeat. So it is not looked for before the insert, but before any error leaves: a repeat
        hears its first answer, whatever the rules say by now.
        """
        looks_first = id is not None or kind.collection() in self._sharded
        id = id or id_from(kind.entity_type, self._origin.cause)
        self._only_write(id)
        if looks_first:
            await self._expect_free(kind, id)
        entity = self._blank(kind, id)
        try:
            async with self._kept(entity, None):
                yield entity
        except Exception:
            if not looks_first and not entity.version:
                await self._expect_free(kind, id)
            raise

    @asynccontextmanager
    async def change_or_create(self, kind: type[N], id: str) -> AsyncIterator[N]:
        """As ``change``, or a new entity if there is none: for entities that come into being on first use."""
        self._only_write(id)
        document = await self._document(kind, id, kind.visible(self.actor))
        entity = self._blank(kind, id) if document is None else self._opened(kind, document)
        self._expect_match(entity)
        async with self._kept(entity, document):
            yield entity

    async def _with_history(self, kind: type[Entity[Any]], where: Document) -> tuple[Document, list[Recorded]]:
        name = kind.collection()
        document = await self._mongo.find_one(name, where, {"history": 1, "archived": 1, "key": 1})
        if document is None:
            raise NotFound
        history = [Recorded.load(entry) for entry in await archive.whole(self._mongo, name, document)]
        if [event.version for event in history] != list(range(1, len(history) + 1)):
            raise archive.Gap(f"{document['_id']}: its history lacks versions; `linli verify` says which")
        return document, history

    async def _document(self, kind: type[N], id: str, visible: Visible) -> Document | None:
        """The document with an event of this cause, if there is one: its author may repeat it even if it is out of
        sight now.

        The document is read before the archive, because events move in this direction and cannot be missed on the way.
        """
        name, cause = kind.collection(), self._origin.cause
        if self._prefetched is not None and (prefetched := self._prefetched.take(id, cause)) is not None:
            return prefetched
        seen = {} if visible.everything else {"$or": [visible.filter(), {"history.cause": cause}]}
        show = {"published": 0, "history": {"$elemMatch": {"cause": cause}}}
        document = await self._mongo.find_one(name, {"_id": id, **seen}, show)
        if document is None and visible.everything:
            return None
        if document is not None and ("history" in document or not document["archived"]):
            return document
        before = await archive.of_cause(self._mongo, name, id, cause)
        if before is None:
            return document
        document = document or await self._mongo.find_one(name, {"_id": id}, show)
        return document and {**document, "history": [before]}

    async def _expect_free(self, kind: type[N], id: str) -> None:
        """Refuse an id that is taken, even if the actor cannot see its entity; AlreadyDone by this cause."""
        document = await self._document(kind, id, ALL)
        if document is not None:
            self._refuse_repeat(kind, document)
            raise Taken

    def _blank(self, kind: type[N], id: str) -> N:
        """A new entity, with a key where its kind has keys of its own."""
        entity = kind.blank(id)
        if kind.own_key:
            entity.set_key(self._new_key(id))
        return entity

    def _opened(self, kind: type[N], document: Document) -> N:
        """The entity of a document, if this cause may change it."""
        self._refuse_repeat(kind, document)
        expect_known(kind.events, document.get("shapes", {}))
        return load(kind, document)

    def _expect_match(self, entity: "Entity[Any]") -> None:
        if self._if_match is not None and entity.version not in self._if_match:
            raise Stale(given=max(self._if_match), current=entity.version)

    def _refuse_repeat(self, kind: type[N], document: Document) -> None:
        for entry in document.get("history", ()):
            if entry["fingerprint"] != self._origin.fingerprint:
                raise KeyReused
            if entry.get("refused"):
                raise refusal_from(entry["refused"])
            raise AlreadyDone(kind, document["_id"])

    @asynccontextmanager
    async def _kept(self, entity: N, before: Document | None) -> AsyncIterator[None]:
        if self._guard is not None:
            await self._guard(entity)
        try:
            yield
        except Refusal as refusal:
            if entity.keeps(refusal):
                await self._write(entity, before, refusal.as_record())
            raise
        await self._write(entity, before)

    async def _write(self, entity: "Entity[Any]", before: Document | None, refused: Document | None = None) -> None:
        if not entity.fresh:
            return
        if before is None:
            await self._insert(entity, refused)
        else:
            await self._update(entity, before, refused)
        for event in entity.fresh:
            metrics.events_recorded.labels(event.type_name()).inc()
        entity.version += len(entity.fresh)

    async def _insert(self, entity: "Entity[Any]", refused: Document | None) -> None:
        document = {**draft(entity, self._origin, refused), **await search.terms(entity, {}, self._vault)}
        try:
            await self._mongo.insert(entity.collection(), document)
        except Duplicate as duplicate:
            taken = (name for name in duplicate.names if name != "_id")
            raise Conflict(frozenset((name, _at(document, name)) for name in taken)) from None

    async def _update(self, entity: "Entity[Any]", before: Document, refused: Document | None) -> None:
        change = changing(entity, self._origin, before, refused)
        if not search.keeps(entity, before):
            change["$set"] |= await search.terms(entity, before, self._vault)
        where = {"_id": entity.id, "version": entity.version, **search.unforgotten(entity, before)}
        if not await matched(self._mongo, entity.collection(), where, change, self._sharded):
            raise Conflict

    def _narrow(self, kind: type[Stored], where: Document) -> Document:
        seen = kind.visible(self.actor).filter()
        return {"$and": [where, seen]} if where and seen else where or seen

    def _only_write(self, id: str) -> None:
        if self._writing:
            raise RuntimeError("a use case writes one entity, once: let another react to its event")
        self._writing.append(id)


def _at(document: Document, name: str) -> str:
    """The value of a field, by its name in documents."""
    return str(reduce(getitem, name.split("."), document))
