"""What is printed in the end: a table with the score of each file, and every survivor as a diff."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.trying import DEAD, Outcome


@dataclass(frozen=True)
class Tried:
    """A mutant, and what became of it."""

    mutant: Mutant
    outcome: Outcome
    tests: int
    """How many it was shown to, at most."""

    @property
    def counts(self) -> bool:
        """Whether it is one that a test could notice."""
        return self.outcome is not Outcome.EQUIVALENT

    @property
    def dead(self) -> bool:
        """Whether a test has noticed it."""
        return self.outcome in DEAD


def score(tried: Sequence[Tried]) -> float:
    """Of all that could be noticed, so many in a hundred were."""
    counted = [one for one in tried if one.counts]
    return 100 * sum(one.dead for one in counted) / len(counted) if counted else 100.0


def page(root: Path, tried: Sequence[Tried]) -> str:
    """The table, then the survivors."""
    rows = [_row(str(file.relative_to(root)), [*some]) for file, some in groupby(tried, lambda one: one.mutant.file)]
    head = ["| file | mutants | equivalent | killed | survived | score |", "|---|--:|--:|--:|--:|--:|"]
    left = [_survivor(root, one) for one in tried if one.counts and not one.dead]
    return "\n".join([*head, *rows, _row("all", tried), "", *left])


def _row(name: str, tried: Sequence[Tried]) -> str:
    counted = [one for one in tried if one.counts]
    dead = sum(one.dead for one in counted)
    numbers = [len(tried), len(tried) - len(counted), dead, len(counted) - dead]
    return f"| {name} | {' | '.join(map(str, numbers))} | {score(tried):.0f} % |"


def _survivor(root: Path, one: Tried) -> str:
    place = f"{one.mutant.file.relative_to(root)}:{one.mutant.line}"
    return f"{place} {one.mutant.operator} ({one.outcome}, {one.tests} tests)\n{one.mutant.change}\n"
