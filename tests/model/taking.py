"""The consumer of the model takes a batch: unseen, attempt, park, effect, remember, commit."""

from tests.model.documents import put
from tests.model.effects import Effects
from tests.model.explore import Kind, Step
from tests.model.group import Event, Lot, Member, Reaction, State, Steps, step
from tests.model.weaknesses import Weak


class Taking:
    """The stages of a batch, each a method that gives what may happen next."""

    def __init__(self, effects: Effects, without: Weak | None) -> None:
        self._effects = effects
        self._without = without
        self._at_once = effects.reaction is Reaction.USE_CASE

    def take(self, state: State, me: int, member: Member) -> Steps:
        """Expect it to be ours, and leave out what has been seen."""
        if not settled(member):
            yield step(state, me, "find it has moved", "", given_back(member))
            return
        todo = self._unseen(state, member)
        stage = "commit" if self._without is Weak.COMMIT_FIRST else "attempt"
        copies = () if self._effects.remembers else state.copies
        taken = member._replace(stage=stage, batch=member.batch[-1:], todo=todo, copies=copies)
        yield step(state, me, "take, unseen", described(todo), self._next(taken))

    def attempt(self, state: State, me: int, member: Member) -> Steps:
        """Handle one after the other, up to one that waits behind another or on which the reaction fails.

        What a reaction returns is in memory alone, so that many of these are one step; a use case is one each.
        """
        waits = [self._holds(member, event) for event in member.todo]
        ready = (*waits, True).index(True)
        if self._at_once:
            ready = min(ready, 1)
        if state.failures:
            worse = state._replace(failures=state.failures - 1)
            for count in range(ready):
                after = self._set_aside(self._handled(member, count))
                on = f"{member.todo[count]}, after {described(member.todo[:count])}"
                yield step(worse, me, "fail on", on, after, Kind.FAULT)
        yield self._attempted(state, me, member, ready)

    def park(self, state: State, me: int, member: Member) -> Steps:
        """Set the first event that is left aside, where the partition is ours still."""
        event = member.todo[0]
        if not settled(member):
            yield step(state, me, "find it has moved", "", given_back(member))
            return
        lot = Lot(event.entity, event.offset, event.version)
        known = any((other.entity, other.version) == (lot.entity, lot.version) for other in state.parked)
        then = state if known else state._replace(parked=state.parked | {lot})
        held = member.held | {lot._replace(flag=False)}
        after = member._replace(stage="attempt", held=held, todo=member.todo[1:])
        yield step(then, me, "park", event, self._next(after))

    def effect(self, state: State, me: int, member: Member) -> Steps:
        """The effects of what is done, one after the other."""
        event = member.done[member.written]
        then = self._effects.of(state, event, member.copies)
        yield step(then, me, "effect", event, self._next(member._replace(written=member.written + 1)))

    def remember(self, state: State, me: int, member: Member) -> Steps:
        """`seen` of all that is done."""
        seen = remembered(state.seen, member.done)
        stage = "effect" if self._without is Weak.SEEN_FIRST else "remembered"
        yield step(
            state._replace(seen=seen), me, "remember", described(member.done), self._next(member._replace(stage=stage))
        )

    def commit(self, state: State, me: int, member: Member) -> Steps:
        """Confirm the batch; refused where the group has given the partition out anew."""
        early = self._without is Weak.COMMIT_FIRST and member.todo
        after = member._replace(stage="attempt") if early else given_back(member)
        if member.assigned == "now":
            then = state._replace(committed=member.batch[-1].offset + 1)
            yield step(then, me, "commit", f"up to {member.batch[-1]}", after)
        else:
            yield step(state, me, "have its commit refused", "", after)

    def _unseen(self, state: State, member: Member) -> tuple[Event, ...]:
        if not self._effects.remembers:
            return member.batch
        seen, fresh = state.seen, []
        for event in member.batch:
            if event.version > seen[event.entity]:
                seen = put(seen, event.entity, event.version)
                fresh.append(event)
        return tuple(fresh)

    def _attempted(self, state: State, me: int, member: Member, ready: int) -> Step[State]:
        after = self._handled(member, ready)
        if ready and self._at_once:
            then = self._effects.of(state, member.todo[0], ())
            return step(then, me, "effect, by a use case", member.todo[0], self._next(after))
        if after.todo:
            return step(state, me, "see waiting behind another", after.todo[0], self._set_aside(after))
        return step(state, me, "attempt", described(member.todo), self._next(after))

    def _handled(self, member: Member, count: int) -> Member:
        copies = member.copies
        for event in member.todo[:count]:
            copies = self._effects.fold(copies, event)
        done = (*member.done, *member.todo[:count])
        return member._replace(todo=member.todo[count:], done=done, copies=copies)

    def _holds(self, member: Member, event: Event) -> bool:
        offsets = [lot.offset for lot in member.held if lot.entity == event.entity]
        if self._without is Weak.NO_FOLLOWERS:
            return event.offset in offsets
        return bool(offsets) and min(offsets) <= event.offset

    def _set_aside(self, member: Member) -> Member:
        """What is done of the batch is written before a later event of it can be replayed."""
        if member.done and self._without is not Weak.PARK_BEFORE_DONE:
            return self._next(member._replace(stage="write"))
        return member._replace(stage="park")

    def _next(self, member: Member) -> Member:
        """The same at its next stage, where this one has nothing more to do."""
        stage = member.stage
        if stage == "attempt" and not member.todo:
            stage = "write"
        if stage == "write":
            stage = "remember" if self._without is Weak.SEEN_FIRST and member.done else "effect"
        if stage == "effect" and (self._at_once or member.written == len(member.done)):
            forget = not member.done or not self._effects.remembers or self._without is Weak.SEEN_FIRST
            stage = "remembered" if forget else "remember"
        if stage == "remembered":
            return self._written(member)
        return member._replace(stage=stage)

    def _written(self, member: Member) -> Member:
        if member.todo:
            return member._replace(stage="park", done=(), written=0)
        if self._without is Weak.COMMIT_FIRST:
            return given_back(member)
        return member._replace(stage="commit", done=(), written=0, copies=())


def settled(member: Member) -> bool:
    """Whether what is parked of the partition was loaded in the turn in which it is ours."""
    return member.assigned != "" and member.loaded


def given_back(member: Member) -> Member:
    """Without a batch, ready to poll."""
    return member._replace(stage="idle", batch=(), todo=(), done=(), written=0, copies=())


def remembered(seen: tuple[int, ...], events: tuple[Event, ...]) -> tuple[int, ...]:
    """The memory with these events in it."""
    for event in events:
        seen = put(seen, event.entity, max(seen[event.entity], event.version))
    return seen


def described(events: tuple[Event, ...]) -> str:
    """As a trace names them."""
    return " ".join(map(str, events)) or "nothing"
