"""The second model: from the topic to the effect. Two consumers of one group, memory, commit, parking and its drain.

Steps bear the names of the code (`consumer.py`, `parking.py`, `reader.py`). What is left out, and why nothing is lost:

- Writers and relays: the partition is written from the start, in any order that `publishing.py` promises (first
  occurrences in order, repeats anywhere); how much of it a poll brings is free, so it may as well be growing.
- Other partitions: the members share nothing but the database between them, where everything is kept by entity, and
  an entity has one partition.
- Other reactions: each has memory and parked events of its own. They share the batch and its commit, which comes after
  the last of them; for one reaction the others are a pause between its effects and its memory.
- Batches between two commits: memory and offsets are written for all of them together, so they are one batch here.
- Load and write of a use case are one step: the version guard makes a write of what was loaded before in vain.
- A member that is frozen is taken out of the group; what it does after waking is what a slow one would do.
"""

from tests.model.draining import Draining, flag
from tests.model.effects import Effects
from tests.model.explore import Kind, Step
from tests.model.group import MEMBERS, NAMES, Event, Kept, Member, Reaction, State, Steps, step
from tests.model.taking import Taking, described
from tests.model.weaknesses import Weak


class Consuming:
    """One reaction to the events of one partition; the promises G8 and G9."""

    def __init__(
        self,
        log: tuple[tuple[int, int], ...],
        reaction: Reaction,
        *,
        faults: int = 1,
        failures: int = 1,
        without: Weak | None = None,
    ) -> None:
        """``log``: (entity, version) of each record; ``failures``: how often the reaction fails on an event."""
        self._log = tuple(Event(entity, version, offset) for offset, (entity, version) in enumerate(log))
        self._effects = Effects(reaction, without)
        self._taking, self._draining = Taking(self._effects, without), Draining(self._effects, without)
        self._stages = {
            **{name: getattr(self._draining, name) for name in _BEFORE},
            **{name: getattr(self._taking, name) for name in _BATCH},
            "idle": self._poll,
        }
        entities = len({entity for entity, _ in log})
        nothing = (0,) * entities
        self.start = State(nothing, (Kept(),) * entities, nothing, faults=faults, failures=failures)

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        for me, member in enumerate(state.members):
            if member.frozen:
                yield step(state, me, "thaw", "", member._replace(frozen=False))
            else:
                yield from self._notified_by_the_group(state, me, member)
                yield from self._stages[member.stage](state, me, member)
                if state.faults:
                    yield from _faults(state._replace(faults=state.faults - 1), me, member)
        yield from flag(state)
        if self._effects.reaction is Reaction.USE_CASE and state.applied[0] > 1 and not state.archived:
            yield Step("relay", "archive the cause of", f"{NAMES[0]}1", Kind.WHIM, state._replace(archived=True))

    def broken(self, state: State) -> str:
        """G8, in every state."""
        return state.broken

    def owed(self, state: State) -> str:
        """G9, once everything is quiet."""
        lost = [str(event) for event in self._log if self._effects.owed(state, event)]
        return f"G9: {lost[0]} is neither applied nor parked" if lost else ""

    def _poll(self, state: State, me: int, member: Member) -> Steps:
        """Nothing is between a poll and the first question to the database: they are one step."""
        if not member.assigned:
            return
        left = self._log[member.position :]
        for size in sorted({min(1, len(left)), len(left)}):
            if size or any(lot.flag for lot in state.parked):
                polled = member._replace(batch=left[:size], position=member.position + size)
                yield from self._draining.prepare(state, me, polled, described(left[:size]))

    def _notified_by_the_group(self, state: State, me: int, member: Member) -> Steps:
        """It may learn of a new turn at any time; only where it looks next does that make a difference."""
        if member.stage not in _LOOKS:
            return
        if state.owner == me and member.assigned != "now":
            given = member._replace(assigned="now", loaded=False, position=state.committed)
            yield step(state, me, "learn that it is assigned", "", given)
        elif state.owner != me and member.assigned:
            yield step(state, me, "learn that it is revoked", "", member._replace(assigned="", loaded=False))


_BEFORE = ("flagged", "replay", "replay_effect", "replay_remember", "replay_unpark")
_LOOKS = ("idle", "take", "park", "commit")
_BATCH = ("take", "attempt", "park", "effect", "remember", "commit")


def _faults(state: State, me: int, member: Member) -> Steps:
    """A crash, a freeze that the group notices, and a rebalance that gives the partition to either."""
    if member.assigned:
        yield step(state, me, "crash", "", Member(), Kind.FAULT)
    if member.assigned != "now":
        return
    if member.stage != "idle":
        frozen = member._replace(frozen=True, assigned="past")
        moved = state._replace(owner=1 - me)
        yield step(moved, me, "freeze, until the group has taken it out", "", frozen, Kind.FAULT)
    revoked = member._replace(assigned="", loaded=False)
    for owner in (me, 1 - me):
        then = state._replace(owner=owner)
        yield step(then, me, "rebalance, giving the partition to", MEMBERS[owner], revoked, Kind.FAULT)
