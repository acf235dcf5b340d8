"""Exhaustive exploration, breadth first: all states of a model, and the shortest way to a broken promise."""

import time
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


class Kind(Enum):
    """Who makes a step happen, and so whether one may wait for it."""

    OWN = "what the protocol does by itself, sooner or later"
    WHIM = "what the surroundings may do at any time, or never"
    FAULT = "what goes wrong, as often as the bounds allow"


class Step(NamedTuple, Generic[S]):
    """One step: who does what, on what, and the state after it."""

    who: str
    does: str
    on: str
    kind: Kind
    then: S

    def described(self) -> str:
        """As a line of a trace."""
        return f"{self.who}: {self.does}{' ' if self.on else ''}{self.on}"


class Model(Protocol[S]):
    """A protocol within bounds."""

    @property
    def start(self) -> S:
        """Where everything begins."""

    def steps(self, state: S) -> Iterator[Step[S]]:
        """Everything that may happen next."""

    def broken(self, state: S) -> str:
        """The promise that this state breaks, and how; empty where it breaks none."""

    def owed(self, state: S) -> str:
        """The promise that is broken if nothing more ever happens; empty where all is done."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken promise and the shortest run to it."""

    promise: str
    trace: Sequence[str]


@dataclass(slots=True)
class Explored:
    """What an exploration saw."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    steps: Counter[str] = field(default_factory=Counter)
    breach: Breach | None = None


class _Search(Generic[S]):
    """The states found so far, in the order in which they were found, and how each was reached first."""

    def __init__(self, model: Model[S]) -> None:
        self.model = model
        self.states = [model.start]
        self.numbers = {model.start: 0}
        self.ways: list[tuple[int, Step[S] | None]] = [(0, None)]
        self.before: list[list[int]] = [[]]  # from where the protocol's own steps lead here
        self.settled: list[int] = []
        self.seen = Explored()

    def run(self) -> Explored:
        """Until everything is seen or a promise is broken."""
        start = time.process_time()
        self.seen.breach = self._first_breach() or self._stranded()
        self.seen.states, self.seen.seconds = len(self.states), time.process_time() - start
        return self.seen

    def _first_breach(self) -> Breach | None:
        for here, state in enumerate(self.states):  # which grows meanwhile
            ended = self._expand(here, state)
            if ended is not None:
                return ended
        return None

    def _expand(self, here: int, state: S) -> Breach | None:
        quiet = True
        for step in self.model.steps(state):
            number = self._reach(here, step)
            if step.kind is Kind.OWN:
                quiet = False
                self.before[number].append(here)
            if promise := self.model.broken(step.then):
                return Breach(promise, self._trace(number))
        return self._at_rest(here, state) if quiet else None

    def _at_rest(self, here: int, state: S) -> Breach | None:
        if promise := self.model.owed(state):
            return Breach(promise, [*self._trace(here), "(nothing more happens)"])
        self.settled.append(here)
        return None

    def _reach(self, here: int, step: Step[S]) -> int:
        self.seen.transitions += 1
        self.seen.steps[step.does] += 1
        number = self.numbers.setdefault(step.then, len(self.states))
        if number == len(self.states):
            self.states.append(step.then)
            self.ways.append((here, step))
            self.before.append([])
        return number

    def _stranded(self) -> Breach | None:
        """The first state from which the protocol by itself can no longer bring everything to its end."""
        good, waiting = bytearray(len(self.states)), list(self.settled)
        while waiting:
            here = waiting.pop()
            if not good[here]:
                good[here] = 1
                waiting += self.before[here]
        lost = good.find(0)
        if lost < 0:
            return None
        return Breach(self.model.owed(self.states[lost]), [*self._trace(lost), "(it can never be mended from here)"])

    def _trace(self, number: int) -> list[str]:
        lines = []
        while (way := self.ways[number])[1] is not None:
            lines.append(way[1].described())
            number = way[0]
        return lines[::-1]


def explore(model: Model[S]) -> Explored:
    """Every state within the model's bounds, or as many as it takes to break a promise. Seconds are processor time."""
    return _Search(model).run()
