"""The report of the ledger: check results with counts and breaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.domain.checks import CheckResult

TITLES = {
    "A1": "audit entries are as they were written, none is missing",
    "L1": "accepted commands are in a history exactly once",
    "L2": "refused commands are in no history, unknown ones in at most one",
    "L3": "versions without gap, hash chain whole",
    "L4": "the state is the fold of its history",
    "L5": "the topic holds what the histories published",
    "L6": "order per entity, on the right partition",
    "L7": "every event had its effect, is parked or was dropped",
    "L8": "each cause had its effect once",
    "L9": "lag and parked events are as shown, lag ends in time",
}


@dataclass(frozen=True)
class Report:
    """All check results of one service."""

    service: str
    at: datetime
    lines: Sequence[CheckResult]

    @property
    def clean(self) -> bool:
        """Whether no promise is broken."""
        return not any(line.breaches for line in self.lines)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        lines = sorted(self.lines, key=lambda line: (line.check, line.about))
        head = {"service": self.service, "at": self.at.isoformat(), "clean": self.clean}
        return {**head, "lines": [_document(line) for line in lines]}


def _document(line: CheckResult) -> dict[str, Any]:
    return {
        "check": line.check,
        "title": TITLES.get(line.check, ""),
        "about": line.about,
        "counts": dict(line.counts),
        "breaches": line.breaches,
        "examples": line.examples,
    }
