"""The result of checking a promise: counts and breaches. The ledger has checks, and a service can add its own."""

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 10
"""The default number of breaches that a check names; all are counted."""

TopicPartition = tuple[str, int]
"""A partition of a topic."""


@dataclass
class CheckResult:
    """The result of one check; ``about`` names its part (a reaction, a copy) if it has several."""

    check: str
    about: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    breaches: int = 0
    examples: list[str] = field(default_factory=list)
    named: int = EXAMPLES

    def count(self, name: str, number: int = 1) -> None:
        """Count something that is right, or is only information."""
        self.counts[name] += number

    def breach(self, example: str) -> None:
        """Count a broken promise; ``example`` names it, by ids only."""
        self.breaches += 1
        if len(self.examples) < self.named:
            self.examples.append(example[:300])
