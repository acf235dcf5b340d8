"""What a check of a promise finds: counts and breaches. The ledger makes them, and a service its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

EXAMPLES = 10
"""This many breaches of a check are named where it does not say otherwise; all are counted."""

TopicPartition = tuple[str, int]
"""A partition of a topic."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is checked: events of other services before these offsets, which have had their effects by now."""

    at: datetime
    heard: Mapping[TopicPartition, int]


@dataclass
class CheckResult:
    """One check, of one thing where it is made of several (``about``: a reaction, a copy)."""

    check: str
    about: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    breaches: int = 0
    examples: list[str] = field(default_factory=list)
    named: int = EXAMPLES

    def count(self, name: str, number: int = 1) -> None:
        """Count something that is as it should be, or is only worth knowing."""
        self.counts[name] += number

    def breach(self, example: str) -> None:
        """Count a broken promise; ``example`` says which, by ids only."""
        self.breaches += 1
        if len(self.examples) < self.named:
            self.examples.append(example[:300])
