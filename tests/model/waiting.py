"""The fourth model: a copy that is turned off, a reader of it that waits, and how both come on again.

Two members of a group read one partition, the backfill reads it beside them. The promises: each event reaches the copy
and the reader (G9), the reader takes them without a hole (G8), and never an event that the copy has not taken: it would
fail for want of the copy. What is left out, and why nothing is lost by it:

- Memory and effect in two steps, frozen members, the two looks at pause and switches: `catching_up.py` has them, for
  one reaction. Here effect and memory are one step; what is asked is read in one piece, as the document is.
- Parking: an event that fails alone is parked for the copy, and is then behind it for good, also for the reader.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.documents import put
from tests.model.explore import Kind, Step
from tests.model.weaknesses import Weak

MEMBERS = ("consumer A", "consumer B")
BACKFILL = "backfill"


class Member(NamedTuple):
    """A member of the group, with the switches that it has read last."""

    stage: str = "fresh"
    copy: bool = False
    reader: bool = False
    assigned: bool = False
    position: int = 0  # the last event that it has polled; events stand for offsets, from 1
    batch: tuple[int, ...] = ()
    asked: int = 0  # what the group had confirmed, asked for since the copy failed


class State(NamedTuple):
    """Everything that outlives a step."""

    copied: int = 1  # the events that are in the copy
    applied: int = 1  # the events that have had their effect by the reader
    copy: bool = True  # whether it is on
    reader: bool = True
    copy_at: int = 0  # while it is off: the offset in its switch
    reader_at: int = 0
    members: tuple[Member, ...] = (Member(), Member())
    owner: int = 0
    committed: int = 1
    paused: bool = False
    backfill: str = "done"
    limit: int = 0  # up to where the backfill takes the copy and its reader
    faults: int = 0
    failures: int = 0  # that the copy may still have
    broken: str = ""


Steps = Iterator[Step[State]]


class Waiting:
    """A group whose copy fails, by a version that is mended afterwards."""

    def __init__(self, events: int = 3, *, faults: int = 1, failures: int = 1, without: Weak | None = None) -> None:
        """``events``: how many the partition has in the end."""
        self._events, self._without = events, without
        self.start = State(faults=faults, failures=failures)

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        for me, member in enumerate(state.members):
            yield from self._member(state, me, member)
            if state.faults:
                yield from _faults(state._replace(faults=state.faults - 1), me, member)
        if (way := self._backfill(state)) is not None:
            yield Step(BACKFILL, way[0], "", Kind.OWN, way[1])
        if state.faults and state.backfill not in ("done", "start"):
            begun = state._replace(backfill="start", limit=0, faults=state.faults - 1)
            yield Step(BACKFILL, "crash", "", Kind.FAULT, begun)

    def broken(self, state: State) -> str:
        """In every state."""
        return state.broken

    def owed(self, state: State) -> str:
        """Once everything is quiet."""
        for name, taken in (("copy", state.copied), ("reader", state.applied)):
            if taken < self._events:
                return f"G9: x{taken + 1} never reaches the {name}"
        return ""

    def _member(self, state: State, me: int, member: Member) -> Steps:
        between = member.stage in ("fresh", "idle", "still")
        if between and member.assigned != (state.owner == me):
            given = Member(assigned=not member.assigned)
            yield _step(state, me, "learn of its partition", given)
        elif between and state.paused:
            if member.stage != "still":
                yield _step(state, me, "pause", member._replace(stage="still"))
        elif member.stage in ("fresh", "still") or (member.stage == "idle" and _outdated(state, member)):
            looked = member._replace(stage="idle", copy=state.copy, reader=state.reader, position=state.committed)
            yield _step(state, me, "read the switches", looked)
        elif member.stage == "idle" and member.assigned:
            left = range(member.position + 1, self._events + 1)
            for size in sorted({min(1, len(left)), len(left)} - {0}):
                batch = tuple(left[:size])
                yield _step(state, me, "poll", member._replace(stage="take", batch=batch, position=batch[-1]))
        elif not between:
            yield from self._batch(state, me, member)

    def _batch(self, state: State, me: int, member: Member) -> Steps:
        """The copy, then the reader, then the commit; or the copy fails and is turned off."""
        match member.stage:
            case "take":
                if member.copy and state.failures:
                    worse = state._replace(failures=state.failures - 1)
                    failed = member._replace(stage="failed", batch=())
                    yield _step(worse, me, "fail too often in the copy", failed, Kind.FAULT)
                then = _copied(state, member.batch[-1]) if member.copy else state
                yield _step(then, me, "take into the copy, if it is on", member._replace(stage="react"))
            case "react":
                then = _read(state, member.batch[-1], member.position - len(member.batch)) if member.reader else state
                yield _step(then, me, "let the reader take it, if it is on", member._replace(stage="commit"))
            case "commit":
                done = member._replace(stage="idle", batch=())
                if member.assigned:
                    yield _step(state._replace(committed=member.batch[-1]), me, "commit", done)
                else:
                    yield _step(state, me, "have its commit refused", done)
            case "failed":
                asked = member._replace(stage="asked", asked=state.committed)
                yield _step(state, me, "ask what the group has committed", asked)
            case _:
                yield self._turn_off(state, me, member)

    def _turn_off(self, state: State, me: int, member: Member) -> Step[State]:
        """One update; where another member was first nothing is changed."""
        given_back = Member(assigned=member.assigned)
        if member.stage == "half off":
            at = state.committed if self._without is Weak.READER_NOTED_LATE else member.asked
            late = state._replace(reader=False, reader_at=at)
            return _step(late, me, "let the reader wait", given_back)
        if not state.copy:
            return _step(state, me, "find the copy off", given_back)
        off = state._replace(copy=False, copy_at=member.asked, backfill="start")
        if self._without is Weak.READER_WAITS_LATE:
            return _step(off, me, "turn the copy off", member._replace(stage="half off"))
        if self._without is Weak.READER_STAYS_ON:
            return _step(off, me, "turn the copy off", given_back)
        off = off._replace(reader=False, reader_at=member.asked)
        if self._without is Weak.READER_NOTED_LATE:
            return _step(off, me, "turn the copy off", member._replace(stage="half off"))
        return _step(off, me, "turn the copy off", given_back)

    def _backfill(self, state: State) -> tuple[str, State] | None:
        """The copy from where it was turned off, then the reader; the last stretch while the group is paused."""
        last = state.backfill.startswith("last")
        match state.backfill:
            case "start":
                return "ask what is committed", state._replace(backfill="first", limit=state.committed)
            case "first" | "last first":
                then = state._replace(backfill="last second" if last else "second")
                return self._caught_up(then, reader=self._without is Weak.READER_FIRST)
            case "second" | "last second":
                then = state._replace(backfill="turn on" if last else "close")
                return self._caught_up(then, reader=self._without is not Weak.READER_FIRST)
            case "close" if state.committed > state.limit:
                return "read what came meanwhile", state._replace(backfill="start")
            case "close":
                return "pause the consumer", state._replace(backfill="wait", paused=True)
            case "wait" if all(member.stage == "still" for member in state.members):
                return "ask what is committed", state._replace(backfill="last first", limit=state.committed)
            case "turn on" if self._without is Weak.COPY_ON_ALONE:
                return "turn on", state._replace(backfill="resume", copy=True)
            case "turn on":
                return "turn on", state._replace(backfill="resume", copy=True, reader=True)
            case "resume":
                return "resume", state._replace(backfill="done", paused=False, limit=0)
        return None

    def _caught_up(self, state: State, *, reader: bool) -> tuple[str, State]:
        if reader:
            return "let the reader catch up", _read(state, state.limit, state.reader_at)._replace(reader_at=state.limit)
        return "let the copy catch up", _copied(state, state.limit)._replace(copy_at=state.limit)


def _step(state: State, me: int, does: str, member: Member, kind: Kind = Kind.OWN) -> Step[State]:
    return Step(MEMBERS[me], does, "", kind, state._replace(members=put(state.members, me, member)))


def _outdated(state: State, member: Member) -> bool:
    return (member.copy, member.reader) != (state.copy, state.reader)


def _copied(state: State, last: int) -> State:
    return state._replace(copied=max(state.copied, last))


def _read(state: State, last: int, after: int) -> State:
    """The reader takes what lies behind ``after`` up to ``last``, without what it remembers."""
    first = max(after, state.applied) + 1
    if first > last:
        return state
    if first > state.applied + 1:
        return state._replace(broken=f"G8: x{first} has its effect before x{state.applied + 1}")
    if last > state.copied:
        return state._replace(broken=f"copies: x{state.copied + 1} is taken by the reader before it is in the copy")
    return state._replace(applied=last)


def _faults(state: State, me: int, member: Member) -> Steps:
    """A crash; a rebalance, of the member that has the partition."""
    if member.stage != "fresh":
        yield _step(state, me, "crash", Member(), Kind.FAULT)
    if member.assigned and state.owner == me:
        for owner in range(len(MEMBERS)):
            given_back = member._replace(assigned=False)
            yield _step(state._replace(owner=owner), me, "lose the partition in a rebalance", given_back, Kind.FAULT)
