"""The third model: a reaction that is off, new or since it failed, caught up while two consumers go on reading.

A member looks at the pause between two batches; after a pause it reads the switches, and on from what is confirmed. The
backfill waits for every member, also for one that is frozen: its batch may be confirmed after all once it wakes. A
member on which the reaction fails asks what the group has confirmed, then writes *off* with that offset in one update;
the other members learn of it between two later batches (`turning_off.py`).
What is left out, and why nothing is lost by it:

- Parking: what the consumer does within a batch is `consuming.py`; here only who reads which event for the reaction is
  asked. Its batch has the same steps (unseen, effect, remember, commit), the effects of a batch in one.
- Other reactions: they are on from the start and have no part in the switch. For those that wait for a copy there is
  `waiting.py`.
- A second entity: memory and effects are kept by entity, and one that is behind shows every hole.
"""

from tests.model.documents import put
from tests.model.explore import Kind, Step
from tests.model.reading import BACKFILL, READERS, Reader, State, Steps, described, step, taken
from tests.model.turning_off import TurningOff
from tests.model.weaknesses import Weak


class CatchingUp:
    """A group that has read one event; the promises G8 and G9 for one reaction.

    It is new and off, or, where it is to have ``failures``, has taken this event and is on.
    """

    def __init__(self, events: int = 3, *, faults: int = 1, failures: int = 0, without: Weak | None = None) -> None:
        """``events``: how many the partition has in the end."""
        self._events, self._without = events, without
        self._turning_off = TurningOff(without)
        starts_on = without is Weak.STARTS_ON
        self.start = State(committed=1, on=starts_on, faults=faults)
        if failures:
            self.start = State(1, 1, True, committed=1, backfill="done", faults=faults, failures=failures)

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        for me, reader in enumerate(state.readers):
            if reader.frozen:
                yield step(state, me, "thaw", "", reader._replace(frozen=False))
                continue
            yield from taken(state, me, reader)
            yield from self._turning_off.steps(state, me, reader)
            yield from self._backfill(state, reader) if me == BACKFILL else self._member(state, me, reader)
            if state.faults:
                yield from _faults(state._replace(faults=state.faults - 1), me, reader)

    def broken(self, state: State) -> str:
        """G8, in every state."""
        return state.broken

    def owed(self, state: State) -> str:
        """G9, once everything is quiet."""
        return f"G9: x{state.applied + 1} never reaches the reaction" if state.applied < self._events else ""

    def _member(self, state: State, me: int, reader: Reader) -> Steps:
        if reader.stage in ("idle", "take", "commit"):
            yield from self._notified_by_the_group(state, me, reader)
        if self._without is Weak.SWITCHES_FIRST and reader.stage == "fresh":
            looked = reader._replace(stage="idle", on=state.on, position=state.committed)
            yield step(state, me, "read the switches:", "on" if state.on else "off", looked)
        elif reader.stage in ("fresh", "still") and not state.paused:
            yield step(state, me, "see that nothing is paused", "", reader._replace(stage="unpaused"))
        elif reader.stage == "unpaused":
            position = reader.position if self._without is Weak.KEEP_POSITION else state.committed
            again = reader._replace(stage="idle", on=state.on, position=position)
            yield step(state, me, "read the switches:", "on" if state.on else "off", again)
        elif reader.stage in ("fresh", "idle") and state.paused:
            yield step(state, me, "stand still", "", reader._replace(stage="still", batch=()))
        elif reader.stage == "idle" and reader.assigned:
            yield from self._poll(state, me, reader, reader.position)

    def _notified_by_the_group(self, state: State, me: int, reader: Reader) -> Steps:
        """What was read in an earlier turn is given back, and the switches are read again before anything is taken."""
        if state.owner == me and reader.assigned != "now":
            given = reader._replace(assigned="now", position=state.committed)
            if self._without is not Weak.KEEP_SWITCHES:
                given = _about_to_look(given)
            yield step(state, me, "learn that it is assigned", "", given)
        elif state.owner != me and reader.assigned:
            yield step(state, me, "learn that it is revoked", "", reader._replace(assigned="", position=0))

    def _poll(self, state: State, me: int, reader: Reader, position: int) -> Steps:
        left = tuple(range(position + 1, self._events + 1))
        on = state.on if self._without is Weak.NO_PAUSE and me != BACKFILL else reader.on
        for size in sorted({min(1, len(left)), len(left)} - {0}):
            polled = reader._replace(stage="take", batch=left[:size], position=left[size - 1], on=on)
            yield step(state, me, "poll", described(left[:size]), polled)

    def _backfill(self, state: State, reader: Reader) -> Steps:
        if reader.stage not in ("fresh", "idle") or state.backfill == "done":
            return
        if state.backfill == "read" or (state.backfill == "last stretch" and state.caught_up < state.limit):
            yield from self._poll(state, BACKFILL, reader, state.caught_up)
        if (way := self._onward(state)) is not None:
            yield Step(READERS[BACKFILL], *way)

    def _onward(self, state: State) -> tuple[str, str, Kind, State] | None:
        """The next step of a backfill without a batch."""
        match state.backfill:
            case "read" if state.on:
                return "see that it is on", "", Kind.OWN, state._replace(backfill="on")
            case "read" if state.caught_up >= state.committed:
                return self._pause(state)
            case "wait" if all(reader.stage == "still" for reader in self._awaited(state)):
                return self._measured(state)
            case "last stretch" if state.caught_up >= state.limit:
                return "turn the reaction on", "", Kind.OWN, state._replace(backfill="on", on=True)
            case "on":
                return "resume", "", Kind.OWN, state._replace(backfill="done", paused=False)
        return None

    def _pause(self, state: State) -> tuple[str, str, Kind, State]:
        if self._without is Weak.NO_PAUSE:
            return self._measured(state)
        return "pause the consumer", "", Kind.OWN, state._replace(backfill="wait", paused=True)

    def _awaited(self, state: State) -> tuple[Reader, ...]:
        match self._without:
            case Weak.NO_WAIT:
                return ()
            case Weak.WAIT_FOR_OWNER:
                return (state.readers[state.owner],)
            case Weak.FORGET_THE_FROZEN:
                return tuple(reader for reader in state.readers[:BACKFILL] if not reader.frozen)
        return state.readers[:BACKFILL]

    def _measured(self, state: State) -> tuple[str, str, Kind, State]:
        then = state._replace(backfill="last stretch", limit=state.committed)
        return "ask what the group has committed:", described((state.committed,)), Kind.OWN, then


def _about_to_look(reader: Reader) -> Reader:
    """A commit that is on its way may still be accepted."""
    if reader.stage == "commit":
        return reader._replace(anew=True)
    return reader._replace(stage="fresh", batch=(), todo=())


def _faults(state: State, me: int, reader: Reader) -> Steps:
    """A crash of any; a freeze that the group notices and a rebalance, of the member that has the partition."""
    if me == BACKFILL:
        if state.backfill != "done":
            begun = state._replace(backfill="read", limit=0)
            yield step(begun, me, "crash", "", Reader(on=True, assigned="now"), Kind.FAULT)
        return
    if reader.stage != "fresh":
        yield step(state, me, "crash", "", Reader(), Kind.FAULT)
    if reader.assigned == "now":
        moved = state._replace(owner=1 - me)
        past = reader._replace(frozen=True, assigned="past")
        yield step(moved, me, "freeze, until the group has taken it out", "", past, Kind.FAULT)
        revoked = state._replace(readers=put(state.readers, me, reader._replace(assigned="", position=0)))
        for owner in (me, 1 - me):
            then = revoked._replace(owner=owner)
            yield Step("group", "rebalance, giving the partition to", READERS[owner], Kind.FAULT, then)
