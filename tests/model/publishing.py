"""The first model: from a command to the topic. Writers, two relays and their lease, marking, archive.

Steps bear the names of the code (`store.py`, `relay.py`, `leases.py`). What is left out, and why nothing is lost by it:

- Consumers: they read the topic and change nothing here; what they need of it (all events, first occurrences in order,
  none invented) is what this model promises and `consuming.py` starts from.
- Repeats in the topic: an event that stands there already changes no promise, so of each entity's records only how
  many versions stand there is kept; one that comes before its predecessor breaks G6 at once.
- Time: a lease runs out when its holder freezes or crashes. One that is merely slow does the same steps later.
"""

from tests.model.documents import Doc, Relay, State, Steps, Writer, event
from tests.model.relaying import Relaying
from tests.model.weaknesses import Weak
from tests.model.writing import Writing


class Publishing:
    """Commands to one or two entities; the promises G3, G5, G6 and G7."""

    def __init__(
        self, commands: tuple[int, ...], *, writers: int = 1, faults: int = 1, without: Weak | None = None
    ) -> None:
        """``commands``: the entity that each changes; ``faults``: how many crashes, freezes and losses there are."""
        entities = len(set(commands))
        self._writing, self._relaying = Writing(commands, without), Relaying(without)
        self.start = State(
            (Doc(),) * entities, (0,) * entities, (Writer(),) * writers, (Relay(), Relay()), lease=0, faults=faults
        )

    def steps(self, state: State) -> Steps:
        """Everything that may happen next."""
        yield from self._writing.steps(state)
        yield from self._relaying.steps(state)
        yield from self._relaying.whims(state)
        if state.faults:
            yield from self._writing.faults(state)
            yield from self._relaying.faults(state)

    def broken(self, state: State) -> str:
        """G3, G6 and G7, in every state."""
        if state.broken:
            return state.broken
        for entity, doc in enumerate(state.docs):
            if doc.copied < min(doc.pulled, state.topic[entity]):
                return f"G7: {event(entity, doc.copied + 1)} is in the topic, but in no history and no archive"
        return ""

    def owed(self, state: State) -> str:
        """G5, once everything is quiet."""
        for entity, doc in enumerate(state.docs):
            if state.topic[entity] < doc.version:
                return f"G5: {event(entity, state.topic[entity] + 1)} is recorded and never published"
        return ""
