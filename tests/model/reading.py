"""What the model of catching up is about: who reads the partition for a reaction, and with which switches."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.documents import put
from tests.model.explore import Kind, Step

READERS = ("consumer A", "consumer B", "backfill")
BACKFILL = 2


class Reader(NamedTuple):
    """A member of the service's group, or the backfill. Versions of the one entity stand for offsets, from 1."""

    stage: str = "fresh"
    on: bool = False  # whether its list of reactions has the one in question
    assigned: str = ""  # as in ``group.Member``
    position: int = 0  # the last version that it has polled
    batch: tuple[int, ...] = ()
    todo: tuple[int, ...] = ()  # of the batch: what the reaction has not seen
    anew: bool = False  # whether the partition was given to it since it last read the switches
    asked: int = 0  # what the group had confirmed, asked for since the reaction failed
    frozen: bool = False


class State(NamedTuple):
    """Everything that outlives a step."""

    applied: int = 0  # events that have had their effect by the reaction, in order
    seen: int = 0
    on: bool = False  # the switch
    paused: bool = False
    readers: tuple[Reader, ...] = (Reader(), Reader(), Reader(on=True, assigned="now"))
    owner: int = 0
    committed: int = 0  # by the service's group
    caught_up: int = 0  # while it is off: the offset in its switch, before which it has had its effects
    limit: int = 0  # of the last stretch
    backfill: str = "read"  # how far it has come
    faults: int = 0
    failures: int = 0  # that the reaction may still have
    broken: str = ""


Steps = Iterator[Step[State]]


def step(state: State, me: int, does: str, on: object, reader: Reader, kind: Kind = Kind.OWN) -> Step[State]:
    """One step of a reader."""
    then = state._replace(readers=put(state.readers, me, reader))
    return Step(READERS[me], does, str(on), kind, then)


def described(versions: tuple[int, ...]) -> str:
    """As a trace names them."""
    return " ".join(f"x{version}" for version in versions) or "nothing"


def taken(state: State, me: int, reader: Reader) -> Steps:
    """The stages of a batch, the same for all: unseen, effect, remember, commit."""
    stages = {"take": _take, "effect": _effect, "remember": _remember, "commit": _commit}
    if reader.stage in stages:
        yield stages[reader.stage](state, me, reader)


def _take(state: State, me: int, reader: Reader) -> Step[State]:
    if not reader.on:
        return step(state, me, "take, without the reaction,", described(reader.batch), reader._replace(stage="commit"))
    todo = tuple(version for version in reader.batch if version > state.seen)
    stage = "effect" if todo else "commit"
    return step(state, me, "take, unseen", described(todo), reader._replace(stage=stage, todo=todo))


def _effect(state: State, me: int, reader: Reader) -> Step[State]:
    first, last = reader.todo[0], reader.todo[-1]
    then = state._replace(applied=max(state.applied, last))
    if first > state.applied + 1:
        then = then._replace(broken=f"G8: x{first} has its effect before x{state.applied + 1}")
    return step(then, me, "effect", described(reader.todo), reader._replace(stage="remember"))


def _remember(state: State, me: int, reader: Reader) -> Step[State]:
    then = state._replace(seen=max(state.seen, reader.todo[-1]))
    return step(then, me, "remember", described(reader.todo), reader._replace(stage="commit", todo=()))


def _commit(state: State, me: int, reader: Reader) -> Step[State]:
    stage, last = "fresh" if reader.anew else "idle", reader.batch[-1]
    after = reader._replace(stage=stage, batch=(), todo=(), anew=False)
    if me == BACKFILL:
        return step(state._replace(caught_up=last), me, "commit", f"x{last}", after)
    if reader.assigned == "now":
        return step(state._replace(committed=last), me, "commit", f"x{last}", after)
    return step(state, me, "have its commit refused", "", after)
