"""What the ledger found: lines with counts and breaches."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

EXAMPLES = 10
"""So many breaches of a line are named where it does not say otherwise; all are counted."""

TopicPartition = tuple[str, int]
"""A partition of a topic."""

TITLES = {
    "A1": "audit entries stand as they were written, none is missing",
    "L1": "accepted commands are in a history exactly once",
    "L2": "refused commands are in none, unknown ones in one at most",
    "L3": "versions without gap, hash chain whole",
    "L4": "the state is the fold of its history",
    "L5": "the topic holds what the histories published",
    "L6": "order per entity, on the right partition",
    "L7": "every event had its effect, is parked or was dropped",
    "L8": "each cause had its effect once",
    "L9": "lag and parked events are as shown, lag ends in time",
}


@dataclass(frozen=True, slots=True)
class Cut:
    """What the ledger judges: events of other services before these offsets, which have had their effects by now."""

    at: datetime
    heard: Mapping[TopicPartition, int]


@dataclass
class Line:
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

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "check": self.check,
            "title": TITLES.get(self.check, ""),
            "about": self.about,
            "counts": dict(self.counts),
            "breaches": self.breaches,
            "examples": self.examples,
        }


@dataclass(frozen=True)
class Report:
    """All lines of one service."""

    service: str
    at: datetime
    lines: Sequence[Line]

    @property
    def clean(self) -> bool:
        """Whether no promise is broken."""
        return not any(line.breaches for line in self.lines)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        lines = sorted(self.lines, key=lambda line: (line.check, line.about))
        head = {"service": self.service, "at": self.at.isoformat(), "clean": self.clean}
        return {**head, "lines": [line.document() for line in lines]}

    def text(self) -> str:
        """As plain lines."""
        return "\n".join(_text(line) for line in self.document()["lines"])


def _text(line: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in line["counts"].items())
    about = f" [{line['about']}]" if line["about"] else ""
    said = f"{line['check']}{about} {line['title']}: {counts or 'nothing to check'}, {line['breaches']} breaches"
    return "\n".join([said, *(f"     {example}" for example in line["examples"])])
