"""Reactions: what a service does because of an event, and the copies that it keeps."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

from services.chassis.domain.entity import Copy, Entity
from services.chassis.domain.events import Event, Origin, by_type
from services.chassis.domain.values import id_from
from services.chassis.messaging.delivered import Delivered
from services.chassis.storage.copy_reads import limited
from services.chassis.storage.documents import draft, load
from services.chassis.storage.mongo import Document, New, Put
from services.chassis.storage.search import found_by
from services.chassis.usecase import Container, Context

Write = tuple[str, Put | New]


class CopyMissing(Exception):
    """A change of an entity whose first event has not arrived."""


class Effect(Protocol):
    """Something that a reaction wants written; written for a whole batch at once.

    The effects of one event are written in the order in which the reaction returns them: after a crash, an effect is
    there only if all before it are. Neighbours in one collection are written in one round trip, in no order.
    """

    @property
    def target(self) -> Hashable:
        """What is written. If a batch has several effects with the same target, only the last is written."""

    def writes(self, origin: Origin) -> Sequence[Write]:
        """The writes, by collection; each is idempotent."""

    def recorded(self) -> Sequence[Event]:
        """The events that these writes record."""


@dataclass(frozen=True, slots=True)
class Create:
    """A new entity with its first events; its id is derived from the cause and ``part``."""

    entity: Entity[Any]

    @classmethod
    def of(cls, kind: type[Entity[Any]], ctx: Context, part: str, *events: Event) -> "Create":
        """A new entity of ``kind`` with these first events; ``part`` distinguishes several entities of one event."""
        entity = kind.blank(id_from(kind.entity_type, f"{ctx.cause}:{part}"))
        if kind.own_key:
            entity.set_key(ctx.vault.new_key(entity.id))
        for event in events:
            entity.record(event)
        return cls(entity)

    @property
    def target(self) -> Hashable:
        """The entity."""
        return self.entity.id

    def writes(self, origin: Origin) -> Sequence[Write]:
        """One insert."""
        return [(self.entity.collection(), New({**draft(self.entity, origin), **found_by(self.entity)}))]

    def recorded(self) -> Sequence[Event]:
        """Its first events."""
        return self.entity.fresh


@dataclass(frozen=True, slots=True)
class Keep:
    """A copy at a newer version, as a document."""

    kind: type[Copy[Any]]
    document: Document

    @classmethod
    def of(cls, copy: Copy[Any]) -> "Keep":
        """The copy as it is now, independent of later changes of the object."""
        under, state = list(copy.places()), copy.as_stored()
        return cls(type(copy), {"_id": copy.id, "version": copy.version, "under": under, "state": state})

    @property
    def target(self) -> Hashable:
        """The copy."""
        return self.kind, self.document["_id"]

    def writes(self, origin: Origin) -> Sequence[Write]:
        """One upsert, guarded by the source's version: it does nothing if the stored copy is newer."""
        id, version = self.document["_id"], self.document["version"]
        # Field by field: an older process must not drop what a newer one has kept.
        state = self.kind.where(**self.document["state"])
        change = {"$set": {"version": version, "under": self.document["under"], **state}}
        return [(self.kind.collection(), Put({"_id": id, "version": {"$lt": version}}, change, upsert=True))]

    def recorded(self) -> Sequence[Event]:
        """Copies have no history."""
        return ()


def in_stages(by_event: Iterable[Sequence[Write]]) -> list[tuple[str, list[Put | New]]]:
    """The bulk writes for a batch, in order: (collection, writes).

    ``by_event``: the writes of each event in the order of its effects. Stage 1 of all events is written first, then
    stage 2: a stage is a run of writes to one collection. So a batch needs no more round trips than its longest event.
    """
    stages: dict[tuple[int, str], list[Put | New]] = defaultdict(list)
    for writes in by_event:
        for stage, (collection, run) in enumerate(groupby(writes, key=itemgetter(0))):
            stages[stage, collection] += [write for _, write in run]
    return [(collection, stages[stage, collection]) for stage, collection in sorted(stages)]


Handled = Callable[[Delivered], Awaitable[Sequence[Effect]]]
Handler = Callable[[Context, Delivered, Any], Awaitable[Sequence[Effect] | None]]


@dataclass(frozen=True)
class Reaction:
    """What to do on some events. ``handle(ctx, delivered, event)`` calls one use case or returns effects.

    The name is part of what is stored: renaming a reaction would let it run on everything again. ``reads``: the copies
    that it reads; it runs after them, and waits while one of them is not kept.

    ``when(event)``: whether it wants an event of its types, by the fields of the event alone. What it does not want is
    neither looked up nor remembered. So another ``when`` needs another name: events that the old one did not want are
    never handled.
    """

    name: str
    types: dict[str, type[Event]]
    handle: Handler
    reads: tuple[type[Copy[Any]], ...] = ()
    when: Callable[[Any], bool] | None = None
    remembers: bool = True

    def wants(self, delivered: Delivered) -> bool:
        """Whether it is of its types and ``when`` holds."""
        if delivered.type not in self.types or self.when is None:
            return delivered.type in self.types
        try:
            return self.when(delivered.event(self.types))
        except Exception:  # the handler decides: it fails too where the event cannot be read, which is then parked
            return True

    async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
        """The handler for the events of one batch."""

        async def handled(delivered: Delivered) -> Sequence[Effect]:
            ctx = container.system_context(self.name, f"event:{delivered.id}:{self.name}", delivered.trace)
            return await self.handle(ctx, delivered, delivered.event(self.types)) or ()

        return handled


def reaction(
    name: str,
    *events: type[Event],
    reads: tuple[type[Copy[Any]], ...] = (),
    when: Callable[[Any], bool] | None = None,
) -> Callable[[Handler], Reaction]:
    """Make a function the reaction ``name`` to these events; ``reads`` and ``when`` as for ``Reaction``."""
    return lambda handle: Reaction(name, by_type(events), handle, reads, when)


@dataclass(frozen=True)
class Copying:
    """The reaction that keeps the copies of one type. Their own versions guard them, so it needs no memory."""

    kind: type[Copy[Any]]
    reads: tuple[type[Copy[Any]], ...] = ()
    remembers: bool = False

    @property
    def name(self) -> str:
        """The name, as stored and shown."""
        return f"copy-{self.kind.entity_type}"

    @property
    def types(self) -> dict[str, type[Event]]:
        """The events of the copies."""
        return self.kind.events

    def wants(self, delivered: Delivered) -> bool:
        """Every event of its types."""
        return delivered.type in self.kind.events

    async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
        """The handler that folds events into copies; loads the copies of the batch at once, if there can be any."""
        known = dict(await container.mongo.by_ids(self.kind.collection(), self._continued(events)))

        async def handled(delivered: Delivered) -> Sequence[Effect]:
            return self._fold(known, delivered)

        return handled

    def _continued(self, events: Sequence[Delivered]) -> set[str]:
        """The entities whose stored copies are needed: events of them follow what is not here before these.

        Of all others no copy is expected. If there is one, the events were redelivered, and the guarded write changes
        nothing. Redelivered events may begin anywhere: 3, 1, 2, 3 where two relays have sent 1 to 3.
        """
        reached, continued = dict[str, int](), set[str]()
        for delivered in events:
            before, version = reached.get(delivered.entity, 0), delivered.version
            begins = version == 1 and issubclass(self.types[delivered.type], self.kind.creates)
            if begins or 1 < version <= before + 1:
                reached[delivered.entity] = max(before, version)
            else:
                continued.add(delivered.entity)
        return continued

    def _fold(self, known: dict[str, Document], delivered: Delivered) -> Sequence[Effect]:
        event, document = delivered.event(self.types), known.get(delivered.entity)
        if document is None and not isinstance(event, self.kind.creates):
            raise CopyMissing(f"{delivered.type} of {delivered.entity}, of which nothing is known")
        # A separate object: if ``apply`` fails half-way, the next try must start from the stored state.
        copy = self.kind.blank(delivered.entity) if document is None else load(self.kind, document)
        if delivered.version <= copy.version:
            return ()
        copy.version = delivered.version
        copy.apply(event)
        keep = Keep.of(copy)
        known[delivered.entity] = keep.document
        return (keep,)


class AnyReaction(Protocol):
    """What the consumer needs of a reaction: Reaction, Copying, or a service's own."""

    @property
    def name(self) -> str:
        """The name, as stored and shown."""

    @property
    def types(self) -> dict[str, type[Event]]:
        """The types of events of which it may want one, by their names on the wire."""

    @property
    def reads(self) -> tuple[type[Copy[Any]], ...]:
        """The copies that it reads: it runs after the reactions that keep them, and waits while one of them is off."""

    def wants(self, delivered: Delivered) -> bool:
        """Whether it wants an event: by nothing but the event, so that each who asks gets the same answer."""

    @property
    def remembers(self) -> bool:
        """Whether the consumer keeps a memory for it; a reaction that guards itself needs none."""

    async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
        """What handles each event of one batch. Where it fails for several it is asked again for each event alone."""


async def handler(reaction: AnyReaction, container: Container, events: Sequence[Delivered]) -> Handled:
    """What handles each event of one batch; it may read the copies that the reaction declares, or UndeclaredCopy."""
    read = (reaction.kind,) if isinstance(reaction, Copying) else reaction.reads
    copies = frozenset(kind.collection() for kind in read)
    with limited(reaction.name, copies):
        handled = await reaction.batch(container, events)

    async def within(delivered: Delivered) -> Sequence[Effect]:
        with limited(reaction.name, copies):
            return await handled(delivered)

    return within
