"""What the model of publishing is about: documents with their outbox, writers, relays, the topic."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from tests.model.explore import Step

T = TypeVar("T")

NOBODY = -1
NAMES = "xyz"
CAP = 1  # published events that a history keeps

Events = tuple[tuple[int, int], ...]
"""(entity, version) each."""


class Doc(NamedTuple):
    """One entity's document; ``pulled`` is its ``archived``, ``copied`` what of it stands in the archive."""

    causes: tuple[int, ...] = ()  # the command that recorded each version, also of those in the archive
    wet: int = NOBODY  # the command whose write is on the primary alone
    published: int = 0
    pending: bool = False
    pulled: int = 0
    copied: int = 0

    @property
    def version(self) -> int:
        """Of the newest write that a majority has."""
        return len(self.causes)


class Writer(NamedTuple):
    """A web process: its command, the version it loaded, whether it found its cause, whether it has written."""

    command: int = NOBODY
    version: int = 0
    known: bool = False
    waits: bool = False


class Relay(NamedTuple):
    """A worker's relay: what it has still to send, how the first of that fares, and what may be marked or trimmed."""

    stage: str = "idle"
    todo: Events = ()
    flight: str = ""
    reached: Events = ()
    trim: int = 0  # the version up to which the first of ``reached`` is archived
    frozen: bool = False


class State(NamedTuple):
    """Everything that outlives a step."""

    docs: tuple[Doc, ...]
    topic: tuple[int, ...]  # how many versions of each entity stand in it, without a gap
    writers: tuple[Writer, ...]
    relays: tuple[Relay, ...]
    answered: frozenset[int] = frozenset()  # commands
    lease: int = NOBODY
    late: Events = ()  # requests of dead producers that may still arrive
    faults: int = 0
    broken: str = ""


Steps = Iterator[Step[State]]


def put(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    """The same with another item in one place."""
    return (*items[:place], item, *items[place + 1 :])


def event(entity: int, version: int) -> str:
    """As a trace names it."""
    return f"{NAMES[entity]}{version}"


def arrived(state: State, entity: int, version: int) -> State:
    """The topic with one more record; one that stands there already changes nothing."""
    stands, doc = state.topic[entity], state.docs[entity]
    if version <= stands:
        return state
    state = state._replace(topic=put(state.topic, entity, version))
    if version > stands + 1:
        return state._replace(broken=f"G6: {event(entity, version)} is in the topic before {event(entity, stands + 1)}")
    if version > doc.version + (doc.wet != NOBODY):
        return state._replace(broken=f"G7: {event(entity, version)} is in the topic and was rolled back")
    return state
