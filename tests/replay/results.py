"""What came of a replay: counts by what matters to a city, latencies, and what is missing."""

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

from tests.replay.messages import BadLine

QUANTILES = (0.5, 0.9, 0.99)


@dataclass
class Filed:
    """One message that became a case."""

    message: str
    case: str
    number: str
    resident: str
    system: str
    by: str
    tier: str = ""
    steps: Counter[str] = field(default_factory=Counter)


@dataclass
class Results:
    """All that a replay did; the seconds of ``latencies`` are by kind of command.

    ``late`` says who has not caught up, where somebody has not.
    """

    messages: int
    bad: list[BadLine]
    filed: list[Filed] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    notified: Counter[int] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    unknown: int = 0
    late: str = ""
    seconds: float = 0

    @property
    def missing(self) -> list[str]:
        """What should be there and is not, one phrase each."""
        found = {
            "lines that are no message": len(self.bad),
            "messages refused": sum(self.refused.values()),
            "messages neither filed nor refused": self.messages - len(self.filed) - sum(self.refused.values()),
            "stories broken off": sum(self.broken.values()),
            "cases without a tier that solved them": sum(not one.tier for one in self.filed),
            "residents not notified of their case exactly once": len(self.filed) - self.notified[1],
            "commands that nobody answered": self.unknown,
        }
        return [*filter(None, [self.late]), *(f"{number} {what}" for what, number in found.items() if number)]

    def to_json(self) -> dict[str, object]:
        """Everything, for machines."""
        return {
            "messages": self.messages,
            "bad_lines": [{"line": line.number, "reason": line.reason} for line in self.bad],
            "filed": len(self.filed),
            "by": dict(Counter(one.by for one in self.filed)),
            "systems": dict(Counter(one.system for one in self.filed)),
            "tiers": dict(Counter(one.tier for one in self.filed)),
            "steps": dict(self.steps),
            "refused": dict(self.refused),
            "broken": dict(self.broken),
            "notified": {str(times): number for times, number in sorted(self.notified.items())},
            "milliseconds": {kind: quantiles(seconds) for kind, seconds in self.latencies.items()},
            "unknown": self.unknown,
            "seconds": round(self.seconds, 1),
            "missing": self.missing,
        }

    @property
    def steps(self) -> Counter[str]:
        """How often each step was taken."""
        return sum((one.steps for one in self.filed), Counter())


def quantiles(seconds: list[float]) -> dict[str, float]:
    """p50, p90 and p99 in milliseconds, and how many there are."""
    ordered = sorted(seconds)
    found = {f"p{q * 100:g}": round(ordered[int(q * (len(ordered) - 1))] * 1000, 1) for q in QUANTILES if ordered}
    return {"count": len(ordered), **found}


def tables(results: Results) -> list[Table]:
    """What is shown at the end."""
    return [_counts(results), _latencies(results)]


def _counts(results: Results) -> Table:
    table = Table("", "", "", box=None, show_header=False, pad_edge=False)
    rate = len(results.filed) / results.seconds if results.seconds else 0
    table.add_row("filed", f"{len(results.filed):,}", f"of {results.messages:,}; {results.seconds:.0f} s, {rate:.1f}/s")
    _group(table, "filed by", Counter(one.by for one in results.filed))
    _group(table, "system", Counter(one.system for one in results.filed))
    _group(table, "solved by", Counter(one.tier or "nobody" for one in results.filed))
    _group(table, "on the way", results.steps)
    _group(table, "refused", results.refused)
    _group(table, "broken off", results.broken)
    _group(
        table, "notified", Counter({f"{times} time{'s' * (times != 1)}": n for times, n in results.notified.items()})
    )
    _group(table, "bad line", Counter({f"{line.number}: {line.reason}": 1 for line in results.bad}))
    return table


def _group(table: Table, title: str, counts: Counter[str]) -> None:
    for what, number in counts.most_common():
        table.add_row(title, f"{number:,}", what)
        title = ""


def _latencies(results: Results) -> Table:
    table = Table("milliseconds", "count", "p50", "p90", "p99", box=None, pad_edge=False)
    for kind, seconds in sorted(results.latencies.items()):
        row = quantiles(seconds)
        table.add_row(kind, *(f"{row.get(name, 0):,g}" for name in ("count", "p50", "p90", "p99")))
    return table
