"""The effects of the model of consuming: by cause, or as a copy that is guarded by its version."""

from tests.model.documents import put
from tests.model.group import NAMES, Event, Kept, Reaction, State
from tests.model.weaknesses import Weak


class Effects:
    """How one reaction has its effect on this service's database."""

    def __init__(self, reaction: Reaction, without: Weak | None) -> None:
        self.reaction = reaction
        self.remembers = reaction is not Reaction.COPY
        self._without = without

    def of(self, state: State, event: Event, copies: tuple[Kept, ...]) -> State:
        """The database after the effect of one event; ``copies`` as the one who writes has folded them."""
        if self.reaction is Reaction.COPY:
            return self._kept(state, event, copies[event.entity])
        return self._once(state, event)

    def fold(self, copies: tuple[Kept, ...], event: Event) -> tuple[Kept, ...]:
        """Copies in memory with one more event, where that is newer."""
        if self.reaction is not Reaction.COPY or event.version <= copies[event.entity].version:
            return copies
        folded = copies[event.entity].folded | 1 << event.version - 1
        return put(copies, event.entity, Kept(event.version, folded))

    def owed(self, state: State, event: Event) -> bool:
        """Whether an event is without effect, and nobody is going to see to it."""
        copy = self.reaction is Reaction.COPY
        reached = state.copies[event.entity].version if copy else state.applied[event.entity]
        lots = {(lot.entity, lot.version) for lot in state.parked}
        return event.version > reached and (event.entity, event.version) not in lots

    def _once(self, state: State, event: Event) -> State:
        reached = state.applied[event.entity]
        if event.version > reached + 1:
            late = f"{NAMES[event.entity]}{reached + 1}"
            return state._replace(broken=f"G8: {event} has its effect before {late}")
        if event.version == reached + 1:
            return state._replace(applied=put(state.applied, event.entity, event.version))
        return state if self._known(state, event) else state._replace(broken=f"G8: {event} has its effect twice")

    def _known(self, state: State, event: Event) -> bool:
        if self._without in (Weak.NO_CAUSE, Weak.NO_ID_FROM_CAUSE):
            return False
        first = (event.entity, event.version) == (0, 1)
        return not (state.archived and first and self._without is Weak.NO_ARCHIVE_LOOKUP)

    def _kept(self, state: State, event: Event, copy: Kept) -> State:
        stored = state.copies[event.entity]
        if copy.version <= stored.version and self._without is not Weak.UNGUARDED_COPY:
            return state
        state = state._replace(copies=put(state.copies, event.entity, copy))
        if copy.version < stored.version:
            return state._replace(broken=f"G8: the copy of {NAMES[event.entity]} falls back to version {copy.version}")
        if copy.folded != (1 << copy.version) - 1:
            return state._replace(broken=f"G8: the copy of {NAMES[event.entity]} has {event} and lacks one before it")
        return state
