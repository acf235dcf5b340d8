"""A made-up service of as many kinds of entity as asked: each with a copy and a timer, half of them with a reaction."""

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.domain.entity import Copy, Entity, Index
from services.chassis.domain.events import Event, Origin
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Instant, id_from, now
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Reaction
from services.chassis.runtime.service import Service
from services.chassis.schedule.timers import Timer
from services.chassis.storage.documents import draft
from services.chassis.storage.mongo import New
from services.chassis.usecase import Context, usecase

NAME = "kinds"


class Opened(Event):
    """A thing came into being; each kind has an event of its own."""

    label: str
    due_at: Instant


class Thing(Entity[Opened]):
    """A thing that is due some day; each kind has a class of its own."""

    label: str
    due_at: Instant

    def apply(self, event: Opened) -> None:
        """Fold an event into the state."""
        self.label, self.due_at = event.label, event.due_at


class ThingCopy(Copy[Opened]):
    """What the service keeps of its own things, as if they were another's."""

    label: str

    def apply(self, event: Opened) -> None:
        """Take an event of the thing into the copy."""
        self.label = event.label


@dataclass(frozen=True)
class Crowd:
    """Kinds of entity, their events and their copies."""

    events: Sequence[type[Opened]]
    things: Sequence[type[Thing]]
    copies: Sequence[type[ThingCopy]]

    @classmethod
    def of(cls, kinds: int) -> "Crowd":
        """As many kinds as asked."""
        events = [_class(f"Opened{n}", Opened) for n in range(kinds)]
        things = [_entity(n, event) for n, event in enumerate(events)]
        return cls(events, things, [_copy(n, event) for n, event in enumerate(events)])

    def service(self) -> Service:
        """A service of these kinds: as many copies, half as many reactions to the same events, rounded up."""
        return Service(
            name=NAME,
            entities=(*self.things,),
            copies=(*self.copies,),
            reactions=(*(_noting(event) for event in self.events[::2]),),
            timers=(*(Timer(f"tick-{n}", kind, "due_at", tick) for n, kind in enumerate(self.things)),),
            listens_to=(NAME,),
        )

    def opened(self, run: str, total: int, origin: Origin) -> Iterator[tuple[str, New]]:
        """New things of all kinds in turn, each with one event: collection and document."""
        later = now() + timedelta(days=1)
        for number in range(total):
            at = number % len(self.things)
            thing = self.things[at].blank(id_from(self.things[at].entity_type, f"{run}:{number}"))
            thing.record(self.events[at](label="路灯", due_at=later))
            yield thing.collection(), New(draft(thing, origin))


@usecase(allow=SYSTEM)
async def tick(ctx: Context, id: str) -> None:
    """Never called: nothing is due before the bench is over."""


async def note(ctx: Context, delivered: Delivered, event: Opened) -> None:
    """Take note of an event: its memory is all that is written."""


def _noting(event: type[Opened]) -> Reaction:
    return Reaction(f"note-{event.__name__.lower()}", {event.type_name(): event}, note)


def _class(name: str, parent: Any, **fields: Any) -> Any:
    return types.new_class(name, (parent,), exec_body=lambda body: body.update({"__module__": __name__, **fields}))


def _entity(number: int, event: type[Opened]) -> type[Thing]:
    indexes = (Index(("due_at",), sparse=True),)
    kind: type[Thing] = _class(f"Thing{number}", Thing, entity_type=f"thing{number}", indexes=indexes)
    kind.events = {event.type_name(): event}
    return kind


def _copy(number: int, event: type[Opened]) -> type[ThingCopy]:
    kind: type[ThingCopy] = _class(f"ThingCopy{number}", ThingCopy, entity_type=f"thing{number}", creates=(event,))
    kind.events = {event.type_name(): event}
    return kind
