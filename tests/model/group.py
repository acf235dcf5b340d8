"""What the model of consuming is about: one partition, a group of two members, effects, memory, what is parked."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from tests.model.documents import put
from tests.model.explore import Kind, Step

MEMBERS = "AB"
NAMES = "xy"


class Reaction(Enum):
    """The three ways in which a reaction has its effect."""

    USE_CASE = "calls a use case: the effect is there at once"
    EFFECTS = "returns effects: they are written together, at the end of the batch"
    COPY = "keeps a copy: written together, guarded by its version, without memory"


class Event(NamedTuple):
    """A record of the partition."""

    entity: int
    version: int
    offset: int

    def __str__(self) -> str:
        return f"{NAMES[self.entity]}{self.version}@{self.offset}"


class Lot(NamedTuple):
    """A parked event; ``flag``: an operator wants it replayed."""

    entity: int
    offset: int
    version: int
    flag: bool = False

    @property
    def event(self) -> Event:
        """The record as it arrived."""
        return Event(self.entity, self.version, self.offset)


class Kept(NamedTuple):
    """A copy: its version, and the events that are folded in it, a bit each."""

    version: int = 0
    folded: int = 0


class Member(NamedTuple):
    """A worker's consumer and its reader."""

    stage: str = "idle"
    assigned: str = ""  # whether its reader believes to have the partition: not, as of "now", or as of a "past" turn
    loaded: bool = False  # whether what is parked was loaded in that turn
    position: int = 0
    held: frozenset[Lot] = frozenset()
    batch: tuple[Event, ...] = ()
    replays: tuple[Lot, ...] = ()
    todo: tuple[Event, ...] = ()
    done: tuple[Event, ...] = ()
    written: int = 0  # of done
    copies: tuple[Kept, ...] = ()  # as loaded, and folded since
    frozen: bool = False


class State(NamedTuple):
    """Everything that outlives a step."""

    applied: tuple[int, ...]  # per entity: how many of its events have had their effect, in order
    copies: tuple[Kept, ...]
    seen: tuple[int, ...]
    members: tuple[Member, ...] = (Member(), Member())
    parked: frozenset[Lot] = frozenset()
    owner: int = 0
    committed: int = 0
    archived: bool = False  # the causes of the first event of x are in the archive of what it changed
    faults: int = 0
    failures: int = 0  # that reactions may still have
    broken: str = ""


Steps = Iterator[Step[State]]


def step(state: State, me: int, does: str, on: object, member: Member, kind: Kind = Kind.OWN) -> Step[State]:
    """One step of a member."""
    then = state._replace(members=put(state.members, me, lean(member)))
    return Step(f"consumer {MEMBERS[me]}", does, str(on), kind, then)


def lean(member: Member) -> Member:
    """Without what it is never going to look at: fewer states, and each stands for all that differ in this alone."""
    if member.stage == "idle" and not (member.assigned and member.loaded):
        return Member(assigned=member.assigned, position=member.position if member.assigned else 0)
    return member if member.assigned else member._replace(position=0)
