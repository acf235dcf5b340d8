"""The findings of `linli doctor`, and where they are."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from services.chassis.operations.doctor.findings import Finding

Line = dict[str, Any]
COLOURS = {"ok": "green", "soon": "yellow", "wrong": "red"}


def of(where: str, findings: Iterable[Finding]) -> list[Line]:
    """Findings of one place."""
    return [{"where": where, **finding.document()} for finding in findings]


def table(lines: Sequence[Line]) -> Table:
    """As one table."""
    shown = Table(box=None, pad_edge=False)
    for title in ("where", "what", "", "state", "what to do"):
        shown.add_column(title, overflow="fold")
    for line in lines:
        level = Text(line["level"], style=COLOURS[line["level"]])
        shown.add_row(line["where"], line["check"], level, line["said"], line["advice"])
    return shown


def plain(line: Line) -> str:
    """As one line of text."""
    advice = f" → {line['advice']}" if line["advice"] else ""
    return f"{line['where']} {line['check']} {line['level']}: {line['said']}{advice}"
