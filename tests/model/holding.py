"""The fifth model: reference data that a process holds, kept current by a change stream that may be cut.

One service item, offered and withdrawn in turns by staff through another process; residents and the same staff file
requests for it through the process that holds it. The promises (G11): what is held counts for a second at most after it
has changed, and no longer once the change was heard of; nobody is refused for what is there; who has written sees it.

What is left out, and why nothing is lost by it:

- A stream that answers and lags: it answers twice a second, so here a second passes only while it is cut.
- Several answers and collections: each answer is forgotten for itself.
- Asking again after an outage of the database: then nothing is decided.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model.explore import Kind, Step
from tests.model.weaknesses import Weak

PROCESS, STAFF, STREAM = "process", "staff", "change stream"


class State(NamedTuple):
    """Everything that outlives a step. Odd versions of the item are offered, even ones withdrawn."""

    version: int = 1
    heard: int = 1  # the version of which the stream has told last
    cut: bool = False
    silent: bool = False  # whether the process knows that the stream does not answer
    late: bool = False  # whether a change has not been heard of for more than a second
    held: int = 0  # the version in the answer that is held; 0: none is
    stage: str = "idle"
    staff: bool = False  # whether staff asks, who may have written
    read: int = 0  # the version in the answer of the query in hand
    overtaken: bool = False  # whether something was forgotten since that query began
    changes: int = 0
    requests: int = 0
    faults: int = 0
    broken: str = ""


Steps = Iterator[Step[State]]


class Holding:
    """One process that holds, and what changes beside it."""

    def __init__(self, changes: int = 2, *, requests: int = 3, faults: int = 1, without: Weak | None = None) -> None:
        self._without = without
        self.start = State(changes=changes, requests=requests, faults=faults)

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        if state.changes:
            then = state._replace(version=state.version + 1, changes=state.changes - 1)
            yield Step(STAFF, "change the item", "", Kind.WHIM, then)
        yield from self._stream(state)
        yield from self._process(state)

    def broken(self, state: State) -> str:
        """In every state."""
        return state.broken

    def owed(self, _: State) -> str:
        """Nothing is left once everything is quiet: a request is decided, a stream is open."""
        return ""

    def _stream(self, state: State) -> Steps:
        if state.cut:
            late = state.late or state.heard < state.version
            noticed = self._without is not Weak.NO_HEARTBEAT
            if (state.late, state.silent) != (late, noticed):
                then = state._replace(late=late, silent=noticed)
                yield Step(STREAM, "give no answer for a second", "", Kind.WHIM, then)
            opened = state._replace(cut=False, silent=False, late=False, heard=state.version)
            forgets = self._without is not Weak.KEEP_ON_REOPEN
            yield Step(STREAM, "be opened again", "", Kind.OWN, _forgotten(opened) if forgets else opened)
        elif state.heard < state.version:
            named = state._replace(heard=state.version)
            forgets = self._without is not Weak.KEEP_HEARD
            yield Step(STREAM, "tell of the change", "", Kind.OWN, _forgotten(named) if forgets else named)
        if state.faults and not state.cut:
            yield Step(STREAM, "be cut", "", Kind.FAULT, state._replace(cut=True, faults=state.faults - 1))

    def _process(self, state: State) -> Steps:
        match state.stage:
            case "idle" if state.requests:
                for staff in (False, True):
                    asked = state._replace(staff=staff, requests=state.requests - 1)
                    yield Step(PROCESS, "take a request", "of staff" if staff else "", Kind.WHIM, self._taken(asked))
            case "asked":
                yield Step(PROCESS, "read the database", "", Kind.OWN, state._replace(stage="read", read=state.version))
            case "read":
                yield Step(PROCESS, "decide by the database", "", Kind.OWN, self._answered(state))

    def _taken(self, state: State) -> State:
        """By what is held, if that counts; a refusal that rests on it is confirmed."""
        may_hold = not state.staff or self._without is Weak.STAFF_READS_HELD
        if not state.held or state.silent or not may_hold:
            return _asking(state)
        if state.held % 2 == 0 and self._without is not Weak.UNCONFIRMED:
            return _asking(state)
        return state._replace(broken=_breach(state))

    def _answered(self, state: State) -> State:
        """It is held, unless it was overtaken or no change would be heard of."""
        done = state._replace(stage="idle", staff=False, read=0, overtaken=False)
        overtaken = state.overtaken and self._without is not Weak.HOLD_OVERTAKEN
        return done if overtaken or state.silent else done._replace(held=state.read)


def _asking(state: State) -> State:
    return state._replace(stage="asked", overtaken=False)


def _forgotten(state: State) -> State:
    return state._replace(held=0, overtaken=state.stage != "idle")


def _breach(state: State) -> str:
    """What is wrong with a decision by what is held; empty where nothing is."""
    if state.staff and state.held < state.version:
        return "G11: staff does not see what they wrote"
    if state.held % 2 == 0 and state.version % 2:
        return "G11: a request is refused for what is there"
    if state.late:
        return "G11: what is held counts for more than a second after it has changed"
    if state.held < state.heard:
        return "G11: what is held counts after its change was heard of"
    return ""
