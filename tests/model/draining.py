"""The consumer of the model before each batch: what is parked is loaded, and replayed where an operator wants it."""

from collections.abc import Iterable

from tests.model.effects import Effects
from tests.model.explore import Kind, Step
from tests.model.group import NAMES, Lot, Member, State, Steps, step
from tests.model.taking import remembered
from tests.model.weaknesses import Weak


class Draining:
    """The stages before a batch, each a method that gives what may happen next."""

    def __init__(self, effects: Effects, without: Weak | None) -> None:
        self._effects = effects
        self._unpark_first = without is Weak.UNPARK_FIRST

    def prepare(self, state: State, me: int, member: Member, on: str) -> Steps:
        """With a batch, load what is parked where the turn is a new one; else ask for what is flagged."""
        if member.loaded:
            yield self._asked(state, me, member, "poll, ask what is flagged:", f"{on};")
        else:
            lots = frozenset(lot._replace(flag=False) for lot in state.parked)
            loaded = member._replace(loaded=True, held=lots, stage="flagged")
            yield step(state, me, "poll, load what is parked:", f"{on}; {_described(lots)}", loaded)

    def flagged(self, state: State, me: int, member: Member) -> Steps:
        """What an operator wants replayed, in the order of its entities' offsets."""
        yield self._asked(state, me, member, "ask what is flagged:", "")

    def _asked(self, state: State, me: int, member: Member, does: str, on: str) -> Step[State]:
        lots = tuple(sorted(lot for lot in state.parked if lot.flag))
        return step(state, me, does, f"{on} {_described(lots)}".strip(), _next(member._replace(replays=lots)))

    def replay(self, state: State, me: int, member: Member) -> Steps:
        """Whether the first is the next of its entity; then its reaction again, which may fail again."""
        lot = member.replays[0]
        if lot != min((other for other in state.parked if other.entity == lot.entity), default=None):
            yield step(state, me, "pass over a replay", lot.event, _over(member))
            return
        stage = "replay_unpark" if self._unpark_first else "replay_effect"
        copies = () if self._effects.remembers else self._effects.fold(state.copies, lot.event)
        yield step(state, me, "replay", lot.event, member._replace(stage=stage, copies=copies))
        if state.failures:
            rest = frozenset(other._replace(flag=other.flag and other.entity != lot.entity) for other in state.parked)
            then = state._replace(parked=rest, failures=state.failures - 1)
            yield step(then, me, "fail again on", lot.event, _over(member), Kind.FAULT)

    def replay_effect(self, state: State, me: int, member: Member) -> Steps:
        """The effect of a replay."""
        event = member.replays[0].event
        then = self._effects.of(state, event, member.copies)
        stage = "replay_remember" if self._effects.remembers else "replay_unpark"
        after = _over(member) if self._unpark_first and not self._effects.remembers else member._replace(stage=stage)
        yield step(then, me, "effect of the replay", event, after)

    def replay_remember(self, state: State, me: int, member: Member) -> Steps:
        """`seen` of a replay."""
        event = member.replays[0].event
        then = state._replace(seen=remembered(state.seen, (event,)))
        after = _over(member) if self._unpark_first else member._replace(stage="replay_unpark")
        yield step(then, me, "remember the replay", event, after)

    def replay_unpark(self, state: State, me: int, member: Member) -> Steps:
        """Remove one that has had its effect."""
        event = member.replays[0].event
        then = state._replace(parked=frozenset(lot for lot in state.parked if not _same(lot, member.replays[0])))
        held = frozenset(lot for lot in member.held if not _same(lot, member.replays[0]))
        after = member._replace(held=held)
        after = after._replace(stage="replay_effect") if self._unpark_first else _over(after)
        yield step(then, me, "unpark", event, after)


def flag(state: State) -> Steps:
    """An operator wants everything parked of an entity replayed."""
    for entity in sorted({lot.entity for lot in state.parked if not lot.flag}):
        lots = frozenset(lot._replace(flag=lot.flag or lot.entity == entity) for lot in state.parked)
        yield Step("operator", "flag all parked of", NAMES[entity], Kind.OWN, state._replace(parked=lots))


def _described(lots: Iterable[Lot]) -> str:
    return " ".join(str(lot.event) for lot in sorted(lots)) or "nothing"


def _same(one: Lot, other: Lot) -> bool:
    return (one.entity, one.version) == (other.entity, other.version)


def _over(member: Member) -> Member:
    return _next(member._replace(replays=member.replays[1:], copies=()))


def _next(member: Member) -> Member:
    if member.replays:
        return member._replace(stage="replay")
    return member._replace(stage="take" if member.batch else "idle")
