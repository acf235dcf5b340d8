"""The logs of the processes: their last lines, and following them as they grow."""

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

WAIT_SECONDS = 0.3


def last_lines(log: Path, count: int) -> tuple[str, ...]:
    """The last lines of a log; none if there is no log yet."""
    if not log.exists():
        return ()
    with log.open(errors="replace") as file:
        return tuple(line.rstrip("\n") for line in deque(file, maxlen=count))


def follow(logs: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """(name, line) of every line that is written from now on, endlessly, across log rotations."""
    files = {name: _opened_at_end(log) for name, log in logs.items()}
    while True:
        quiet = True
        for name, log in logs.items():
            files[name] = _current(files[name], log)
            for line in _whole_lines(files[name]):
                quiet = False
                yield name, line
        if quiet:
            time.sleep(WAIT_SECONDS)


def _opened_at_end(log: Path) -> TextIO | None:
    if not log.exists():
        return None
    file = log.open(errors="replace")
    file.seek(0, 2)
    return file


def _current(file: TextIO | None, log: Path) -> TextIO | None:
    """The same file, or the new one if the log appeared or was rotated."""
    if not log.exists() or (file and os.path.samestat(os.fstat(file.fileno()), log.stat())):
        return file
    if file:
        file.close()
    return log.open(errors="replace")


def _whole_lines(file: TextIO | None) -> Iterator[str]:
    while file:
        place = file.tell()
        line = file.readline()
        if not line.endswith("\n"):
            file.seek(place)
            return
        yield line.rstrip("\n")
