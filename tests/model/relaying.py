"""The relays of the model: hold, read, send, acknowledged, mark, copy and pull."""

from tests.model.documents import CAP, NAMES, NOBODY, Doc, Relay, State, Steps, arrived, event, put
from tests.model.explore import Kind, Step
from tests.model.weaknesses import Weak

RELAYS = "AB"


class Relaying:
    """Relays that take turns by a lease; one that is frozen in the middle of a round ends it when it wakes."""

    def __init__(self, without: Weak | None) -> None:
        self._without = without

    def steps(self, state: State) -> Steps:
        """What the relays may do next."""
        for me, relay in enumerate(state.relays):
            if relay.frozen:
                yield self._step(state, me, "thaw", "", relay._replace(frozen=False))
            else:
                yield from getattr(self, f"_{relay.stage}")(state, me, relay)

    def whims(self, state: State) -> Steps:
        """Requests of dead producers that arrive after all."""
        for place, late in enumerate(state.late):
            rest = (*state.late[:place], *state.late[place + 1 :])
            then = arrived(state._replace(late=rest), *late)
            yield Step("broker", "append a late request", event(*late), Kind.WHIM, then)

    def faults(self, state: State) -> Steps:
        """Each relay crashes or is frozen after any of its steps; a send fails."""
        worse = state._replace(faults=state.faults - 1)
        for me, relay in enumerate(state.relays):
            if relay.stage == "idle" or relay.frozen:
                continue
            gone = self._deserted(worse, me)
            yield self._step(gone, me, "freeze, until the lease runs out", "", relay._replace(frozen=True), Kind.FAULT)
            yield self._step(self._dead(gone, relay), me, "crash", "", Relay(), Kind.FAULT)
            if relay.flight:
                yield self._refused(worse, me, relay)

    def _idle(self, state: State, me: int, relay: Relay) -> Steps:
        if state.lease in (NOBODY, me) and any(self._news(doc) for doc in state.docs):
            yield self._step(state._replace(lease=me), me, "hold", "", Relay("held"))

    def _held(self, state: State, me: int, relay: Relay) -> Steps:
        """Read: of each pending document what is not published; a gap sets it aside."""
        read = [(e, v) for e, doc in enumerate(state.docs) for v in self._news(doc)]
        todo = tuple(read)
        if self._without is Weak.MARK_FIRST:
            last = tuple((e, doc.version) for e, doc in enumerate(state.docs) if self._news(doc))
            yield self._step(state, me, "read", _described(todo), _next(Relay("mark", todo, reached=last)))
        else:
            yield self._step(state, me, "read", _described(todo), _next(Relay("send", todo)))

    def _send(self, state: State, me: int, relay: Relay) -> Steps:
        entity, version = relay.todo[0]
        on = event(entity, version)
        if relay.flight == "sent":
            then = arrived(state, entity, version)
            yield self._step(then, me, "its request is appended", on, relay._replace(flight="appended"))
        elif relay.flight == "appended":
            reached = relay.reached
            if self._without is not Weak.MARK_FIRST and _unbroken(relay, entity, version, state):
                reached = (*(r for r in reached if r[0] != entity), (entity, version))
            moved = relay._replace(todo=relay.todo[1:], flight="", reached=reached)
            yield self._step(state, me, "acknowledged", on, _next(moved))
        else:
            yield self._step(state, me, "send", on, relay._replace(flight="sent"))

    def _mark(self, state: State, me: int, relay: Relay) -> Steps:
        entity, version = relay.reached[0]
        doc = state.docs[entity]
        newest = doc.version if doc.wet == NOBODY else doc.version + 1
        pending = doc.pending and newest > version and self._without is not Weak.UNGUARDED_MARK
        doc = doc._replace(published=max(doc.published, version), pending=pending)
        upto = self._trimmable(doc)
        stage = ("pull" if self._without is Weak.PULL_FIRST else "copy") if upto > doc.pulled else "mark"
        then = state._replace(docs=put(state.docs, entity, doc))
        marked = relay._replace(stage=stage, trim=upto if stage != "mark" else 0)
        yield self._step(then, me, "mark", event(entity, version), _next(marked if stage != "mark" else _moved(marked)))

    def _copy(self, state: State, me: int, relay: Relay) -> Steps:
        entity = relay.reached[0][0]
        doc = state.docs[entity]
        then = state._replace(docs=put(state.docs, entity, doc._replace(copied=max(doc.copied, relay.trim))))
        after = _moved(relay) if self._without is Weak.PULL_FIRST else relay._replace(stage="pull")
        yield self._step(then, me, "copy to the archive", f"up to {event(entity, relay.trim)}", _next(after))

    def _pull(self, state: State, me: int, relay: Relay) -> Steps:
        entity = relay.reached[0][0]
        doc = state.docs[entity]
        if doc.published >= relay.trim or self._without is Weak.TRIM_UNPUBLISHED:
            doc = doc._replace(pulled=max(doc.pulled, relay.trim))
        then = state._replace(docs=put(state.docs, entity, doc))
        after = relay._replace(stage="copy") if self._without is Weak.PULL_FIRST else _moved(relay)
        yield self._step(then, me, "pull from the history", f"up to {event(entity, relay.trim)}", _next(after))

    def _trimmable(self, doc: Doc) -> int:
        over = doc.version - CAP
        return over if self._without is Weak.TRIM_UNPUBLISHED else min(over, doc.published)

    def _news(self, doc: Doc) -> range:
        """The versions that a relay would read; none where a gap sets the entity aside."""
        local = doc.wet != NOBODY and self._without is Weak.READ_LOCAL
        if doc.pulled > doc.published or not (doc.pending or local):
            return range(0)
        return range(doc.published + 1, doc.version + local + 1)

    def _refused(self, state: State, me: int, relay: Relay) -> Step[State]:
        """The producer is thrown away: nothing more of this entity is sent in this round."""
        entity = relay.todo[0][0]
        rest = tuple(e for e in relay.todo[1:] if e[0] != entity or self._without is Weak.GO_ON)
        then = relay._replace(todo=rest, flight="")
        on = f"of {event(*relay.todo[0])}"
        return self._step(self._dead(state, relay), me, "lose the acknowledgement", on, _next(then), Kind.FAULT)

    def _dead(self, state: State, relay: Relay) -> State:
        """What a producer had sent may still arrive."""
        if relay.flight != "sent":
            return state
        return state._replace(late=tuple(sorted({*state.late, relay.todo[0]})))

    def _deserted(self, state: State, me: int) -> State:
        return state._replace(lease=NOBODY) if state.lease == me else state

    def _step(self, state: State, me: int, does: str, on: str, relay: Relay, kind: Kind = Kind.OWN) -> Step[State]:
        then = state._replace(relays=put(state.relays, me, relay))
        return Step(f"relay {RELAYS[me]}", does, on, kind, then)


def _unbroken(relay: Relay, entity: int, version: int, state: State) -> bool:
    """Whether all before it is acknowledged too: what is reached ends before the first that failed."""
    before = dict(relay.reached).get(entity, state.docs[entity].published)
    return version <= before + 1


def _moved(relay: Relay) -> Relay:
    return relay._replace(stage="mark", reached=relay.reached[1:], trim=0)


def _next(relay: Relay) -> Relay:
    """The same at its next stage, where this one has nothing more to do."""
    if relay.stage == "send" and not relay.todo:
        relay = relay._replace(stage="mark")
    if relay.stage == "mark" and not relay.reached:
        return Relay("send", relay.todo) if relay.todo else Relay()
    return relay


def _described(events: tuple[tuple[int, int], ...]) -> str:
    return " ".join(event(*one) for one in events) or f"nothing of {NAMES}"
