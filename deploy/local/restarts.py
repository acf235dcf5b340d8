"""Reads from the supervisor's log which processes ended by themselves and were restarted."""

import re
from dataclasses import dataclass
from pathlib import Path

_BEGAN = "supervisord started with pid"
_EXITED = re.compile(r"(?P<at>\S+ [\d:]+),\d+ \S+ exited: (?P<name>\S+) \((?P<why>[^;]*);.*\)$")


@dataclass(frozen=True)
class Restarts:
    """How often a process ended by itself since the stack came up; when (machine time) and why the last time."""

    times: int
    at: str
    why: str

    @property
    def said(self) -> str:
        """In words, such as: started again 2 times, last at 2026-11-23 23:38:43: terminated by SIGKILL."""
        times = "once" if self.times == 1 else f"{self.times} times"
        return f"started again {times}, last at {self.at}: {self.why}"


def read(log: Path) -> dict[str, Restarts]:
    """By process name; empty if there is no log."""
    found: dict[str, Restarts] = {}
    for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
        if _BEGAN in line:
            found.clear()
        elif exited := _EXITED.match(line):
            name = exited["name"]
            before = found[name].times if name in found else 0
            found[name] = Restarts(before + 1, exited["at"], exited["why"])
    return found
