"""What a driver sends and what it notes: requests in scripts, and one sample of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

# No HTTP status: nobody answered in time, or the driver had too much under way to send it.
BROKEN, UNSENT = 0, -1


@dataclass(frozen=True)
class Shot:
    """One request; ``{id}`` in its path is the id that the first answer of its script gave. No token: a stranger's."""

    kind: str
    method: str
    path: str
    token: str
    body: bytes = b""


Script = Sequence[Shot]
"""Requests of which each is sent when the one before it is answered; it ends with the first refusal."""


class Sample(NamedTuple):
    """One request: when it was due (seconds since the start), how long until it was answered, and how."""

    kind: str
    due: float
    seconds: float
    status: int
    again: bool
    """Whether the answer said in Retry-After when to come again."""

    @property
    def done(self) -> float:
        """When it was answered, in seconds since the start."""
        return self.due + self.seconds

    @property
    def ok(self) -> bool:
        """Whether it was accepted."""
        return 200 <= self.status < 300


@dataclass
class Outcome:
    """What one driver noted; ``made`` has (number of the script, id) of everything that was created."""

    samples: list[Sample] = field(default_factory=list)
    made: list[tuple[int, str]] = field(default_factory=list)
    busy: float = 0
    """The share of a core that the driver itself took."""


def together(outcomes: Iterable[Outcome]) -> list[Sample]:
    """The samples of all drivers, in the order in which they were due."""
    return sorted((s for outcome in outcomes for s in outcome.samples), key=lambda sample: sample.due)


def rate(samples: Iterable[Sample], begin: float, end: float) -> float:
    """How many were accepted in each second of a window."""
    return sum(sample.ok and begin <= sample.done < end for sample in samples) / (end - begin)


def milliseconds(samples: Iterable[Sample]) -> list[float]:
    """How long each that was accepted took."""
    return [sample.seconds * 1000 for sample in samples if sample.ok]
