"""In the model of catching up: how a member turns off a reaction that fails, and how the other one learns of it."""

from tests.model.explore import Kind, Step
from tests.model.reading import BACKFILL, Reader, State, Steps, described, step
from tests.model.weaknesses import Weak


class TurningOff:
    """Fail, ask what is confirmed, write off with that offset, and give the batch back."""

    def __init__(self, without: Weak | None) -> None:
        self._without = without

    def steps(self, state: State, me: int, reader: Reader) -> Steps:
        """What a member may do next about a reaction that fails, or that it believes to be on."""
        if me == BACKFILL:
            return
        if reader.stage == "effect" and state.failures:
            yield self._fail(state, me, reader)
        elif reader.stage == "failed" and self._without is Weak.OFF_FIRST:
            off = state._replace(on=False, backfill="read") if state.on else state
            yield step(off, me, "turn it off, from", "nowhere yet", reader._replace(stage="off"))
        elif reader.stage in ("failed", "off"):
            yield from self._ask(state, me, reader)
        elif reader.stage == "asked":
            yield self._turn_off(state, me, reader)
        elif reader.stage == "idle" and reader.on and not state.on and not state.paused:
            yield step(state, me, "find that it is off", "", reader._replace(on=False))

    def _fail(self, state: State, me: int, reader: Reader) -> Step[State]:
        worse = state._replace(failures=state.failures - 1)
        if self._without is Weak.CONFIRM_FAILED and reader.assigned == "now":
            worse = worse._replace(committed=reader.batch[-1])
        failed = reader._replace(stage="failed", todo=())
        return step(worse, me, "fail too often on", described(reader.todo), failed, Kind.FAULT)

    def _ask(self, state: State, me: int, reader: Reader) -> Steps:
        read = self._without is Weak.POSITION_READ
        asked = reader._replace(stage="asked", asked=reader.position if read else state.committed)
        if reader.stage == "off":
            late = state._replace(caught_up=state.committed)
            yield step(late, me, "note what the group has committed", "", _given_back(reader))
        else:
            on = described((asked.asked,))
            yield step(state, me, "ask what the group has committed, when it failed:", on, asked)

    def _turn_off(self, state: State, me: int, reader: Reader) -> Step[State]:
        """One update; where another member was first nothing is changed."""
        on = described((reader.asked,))
        if state.on:
            state = state._replace(on=False, caught_up=reader.asked, backfill="read")
        return step(state, me, "turn it off, from", on, _given_back(reader))


def _given_back(reader: Reader) -> Reader:
    """Without its batch, about to look again at what is asked."""
    return reader._replace(stage="fresh", batch=(), todo=(), asked=0)
