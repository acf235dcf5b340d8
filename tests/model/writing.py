"""The writer of the model: load, write, and a primary that may be lost before a majority has the write."""

from tests.model.documents import NAMES, NOBODY, Doc, State, Steps, Writer, put
from tests.model.explore import Kind, Step
from tests.model.weaknesses import Weak


class Writing:
    """Web processes that answer commands, each repeated by its client until it is answered."""

    def __init__(self, commands: tuple[int, ...], without: Weak | None) -> None:
        """``commands``: the entity that each changes."""
        self.commands = commands
        self._without = without

    def steps(self, state: State) -> Steps:
        """What web processes and primary may do next."""
        for me, writer in enumerate(state.writers):
            if writer.command == NOBODY:
                yield from self._load(state, me)
            elif not writer.waits:
                yield self._write(state, me)
        yield from self._settle(state)

    def faults(self, state: State) -> Steps:
        """Crashes after every step, and the loss of a primary."""
        worse = state.faults - 1
        for me, writer in enumerate(state.writers):
            if writer.command != NOBODY:
                then = state._replace(writers=put(state.writers, me, Writer()), faults=worse)
                yield Step(f"web {me + 1}", "crash", "", Kind.FAULT, then)
        for entity, doc in enumerate(state.docs):
            if doc.wet != NOBODY:
                then = self._rolled_back(state, entity)._replace(faults=worse)
                yield Step("database", "lose the primary", f"with the write of {NAMES[entity]}", Kind.FAULT, then)

    def _load(self, state: State, me: int) -> Steps:
        """The next command, or one that another process is working on, because a client may have stopped waiting."""
        asked = [command for command in range(len(self.commands)) if command not in state.answered]
        for command in asked[: len(state.writers)]:
            doc = state.docs[self.commands[command]]
            loaded = Writer(command, doc.version, self._known(doc, command))
            then = state._replace(writers=put(state.writers, me, loaded))
            yield Step(f"web {me + 1}", "load", self._named(command), Kind.OWN, then)

    def _known(self, doc: Doc, command: int) -> bool:
        if self._without is Weak.NO_CAUSE:
            return False
        if command in doc.causes[doc.pulled :]:
            return True
        return doc.pulled > 0 and self._without is not Weak.NO_ARCHIVE_LOOKUP and command in doc.causes[: doc.copied]

    def _write(self, state: State, me: int) -> Step[State]:
        writer, who = state.writers[me], f"web {me + 1}"
        entity, free = self.commands[writer.command], put(state.writers, me, Writer())
        doc = state.docs[entity]
        if writer.known:
            then = state._replace(writers=free, answered=state.answered | {writer.command})
            return Step(who, "answer a repeat", self._named(writer.command), Kind.OWN, then)
        if doc.wet != NOBODY or doc.version != writer.version:
            return Step(who, "meet a conflict", self._named(writer.command), Kind.OWN, state._replace(writers=free))
        waiting = put(state.writers, me, writer._replace(waits=True))
        then = state._replace(docs=put(state.docs, entity, doc._replace(wet=writer.command)), writers=waiting)
        return Step(who, "write", self._named(writer.command), Kind.OWN, then)

    def _settle(self, state: State) -> Steps:
        for entity, doc in enumerate(state.docs):
            if doc.wet != NOBODY:
                then = self._settled(state, entity, doc)
                yield Step("database", "bring to a majority", f"{NAMES[entity]}{doc.version + 1}", Kind.OWN, then)

    def _settled(self, state: State, entity: int, doc: Doc) -> State:
        command, twice = doc.wet, doc.wet in doc.causes
        doc = doc._replace(causes=(*doc.causes, command), wet=NOBODY, pending=True)
        state = state._replace(docs=put(state.docs, entity, doc))
        if twice:
            return state._replace(broken=f"G3: {self._named(command)} is recorded twice")
        for me, writer in enumerate(state.writers):
            if writer.waits and writer.command == command:
                state = state._replace(writers=put(state.writers, me, Writer()), answered=state.answered | {command})
        return state

    def _rolled_back(self, state: State, entity: int) -> State:
        doc = state.docs[entity]._replace(wet=NOBODY)
        freed = tuple(Writer() if w.waits and self.commands[w.command] == entity else w for w in state.writers)
        broken = f"G7: {NAMES[entity]}{doc.version + 1} is in the topic and was rolled back"
        phantom = state.topic[entity] > doc.version
        return state._replace(
            docs=put(state.docs, entity, doc), writers=freed, broken=broken if phantom else state.broken
        )

    def _named(self, command: int) -> str:
        return f"command {command + 1} to {NAMES[self.commands[command]]}"
