"""Findings: fine, needs attention soon, or wrong now."""

import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Level = Literal["ok", "soon", "wrong"]
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: its state and, if it is not fine, what to do."""

    check: str
    said: str
    level: Level = "ok"
    advice: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def ok(check: str, said: str) -> Finding:
    """Fine."""
    return Finding(check, said)


def soon(check: str, said: str, advice: str) -> Finding:
    """Nothing is wrong yet, or it is intended."""
    return Finding(check, said, "soon", advice)


def wrong(check: str, said: str, advice: str) -> Finding:
    """An operator must do this."""
    return Finding(check, said, "wrong", advice)


def well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is wrong."""
    return not any(finding.level == "wrong" for finding in findings)


def secret(check: str, file: Path) -> Finding | None:
    """What is wrong with a file that only its owner may read, or None."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        return wrong(check, f"{file} cannot be read ({error.strerror})", "put the file there, or name another one")
    if mode & _OTHERS:
        return wrong(check, f"{file} can be read by others ({mode:04o})", f"chmod go= {file}")
    return None
