"""One run: its figures in sections, on the terminal and as JSON."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.bench.figures import Figure, rounded

_BEGAN = time.monotonic()


@dataclass(frozen=True)
class Section:
    """What one measurement yielded, and how long it took."""

    name: str
    title: str
    figures: Sequence[Figure]
    seconds: float


@dataclass(frozen=True)
class Report:
    """A whole run; ``facts`` are machine, versions, commit and date."""

    facts: Mapping[str, Any]
    quick: bool
    sections: Sequence[Section]
    seconds: float

    @classmethod
    def read(cls, file: Path) -> "Report":
        """What ``write`` wrote."""
        given = orjson.loads(file.read_bytes())
        sections = [
            Section(s["name"], s["title"], [Figure.from_json(f) for f in s["figures"]], s["seconds"])
            for s in given["sections"]
        ]
        facts = {name: given[name] for name in ("date", "commit", "machine", "versions")}
        return cls(facts, given["quick"], sections, given["seconds"])

    def write(self, file: Path) -> None:
        """As JSON, for machines."""
        sections = [
            {"name": s.name, "title": s.title, "seconds": s.seconds, "figures": [f.to_json() for f in s.figures]}
            for s in self.sections
        ]
        content = {**self.facts, "quick": self.quick, "seconds": self.seconds, "sections": sections}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def say(text: str) -> None:
    """Progress, with the seconds since the start."""
    sys.stdout.write(f"[{time.monotonic() - _BEGAN:5.0f} s] {text}\n")
    sys.stdout.flush()


def table(section: Section) -> str:
    """A section for the terminal, a line for each figure."""
    lines = [f"{section.name} took {section.seconds:.0f} s"]
    for figure in section.figures:
        bound = f"{figure.bound} {figure.verdict}" if figure.bound else ""
        lines.append(f"    {figure.name:58} {rounded(figure.value):>10} {figure.unit:10} {bound}")
        lines.append(f"      {reported(figure.detail)}")
    return "\n".join(line for line in lines if line.strip())


def reported(detail: Mapping[str, Any]) -> str:
    """A detail in one line."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in detail.items())


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({reported(value)})"
    return rounded(value) if isinstance(value, float) else str(value)
