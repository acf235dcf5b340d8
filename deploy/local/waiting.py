"""Waiting until a process is ready, or saying why it never will be."""

import contextlib
import http.client
import socket
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from deploy.local import broker, databases, supervision
from deploy.local.layout import Layout
from deploy.local.logs import last_lines
from deploy.local.processes import Kind, Process
from deploy.local.supervision import Seen
from deploy.local.trouble import Trouble

PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.1
LAST_LINES = 15
LONGEST_REASON = 200


@dataclass(frozen=True)
class Readiness:
    """Whether a process works now. ``said`` is its own reason if not; ``role`` is the role of a database."""

    ready: bool
    said: str = ""
    role: str = ""


def until_ready(layout: Layout, processes: Iterable[Process], report: Callable[[str, str], None]) -> None:
    """Wait for all of them; Trouble with the last log lines of one that stops, or is not ready in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting, first = list(processes), supervision.seen(layout.home)
    while waiting:
        now = supervision.seen(layout.home)
        for process in tuple(waiting):
            if _advanced(layout, process).ready:
                waiting.remove(process)
                report(process.name, "ready")
            else:
                _refuse_crash(layout, process, first[process.name], now[process.name])
        if waiting and time.monotonic() > deadline:
            said = readiness(layout, waiting[0]).said
            raise _trouble(layout, waiting[0], f"is not ready after {PATIENCE_SECONDS} s {said}")
        first = {name: one if one.pid else first[name] for name, one in now.items()}
        time.sleep(PAUSE_SECONDS)


def _refuse_crash(layout: Layout, process: Process, before: Seen, now: Seen) -> None:
    if now.state == "FATAL" or (before.pid and now.pid != before.pid):
        raise _trouble(layout, process, "stops as soon as it is started")


def readiness(layout: Layout, process: Process, seconds: float = 2) -> Readiness:
    """The readiness of a process, asked once and for at most this many seconds."""
    return ASK[process.kind](layout, process, seconds)


def get(address: str, seconds: float) -> tuple[int, str]:
    """Status and body of an HTTP answer; (0, reason) if there is none, or the answer is not HTTP."""
    try:
        with _opened(address, seconds) as answer:
            return int(answer.status), answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return 0, f"no answer: {getattr(reason, 'strerror', None) or reason}"


def get_over(endpoint: Path, path: str, seconds: float) -> int:
    """The status of an HTTP answer over a Unix socket; 0 if there is none."""
    with contextlib.closing(_Over(endpoint, seconds)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


class _Over(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _opened(address: str, seconds: float) -> Any:
    try:
        return urllib.request.urlopen(address, timeout=seconds)  # noqa: S310
    except HTTPError as error:
        return error


def _advanced(layout: Layout, process: Process) -> Readiness:
    """The readiness of a process that is starting; a database without a primary is initiated for the next look."""
    found = readiness(layout, process)
    if process.kind == "mongo" and not found.ready:
        nodes = layout.nodes_account(process.component)
        databases.set_up(process.service, layout.nodes(process.component), nodes)
    return found


def _broker(layout: Layout, process: Process, seconds: float) -> Readiness:
    """Ready when it knows itself among the brokers: before that it gets no partitions."""
    return Readiness(process.node in broker.known(layout.node(process), seconds))


def _database(layout: Layout, process: Process, seconds: float) -> Readiness:
    role = databases.role(layout.node(process), seconds)
    return Readiness(bool(role), role=role)


def _readyz(layout: Layout, process: Process, seconds: float) -> Readiness:
    status, said = get(f"{layout.address(process.name)}/readyz", seconds)
    return Readiness(True) if status == 200 else Readiness(False, said[:LONGEST_REASON])


def _trouble(layout: Layout, process: Process, what: str) -> Trouble:
    lines = last_lines(layout.home.log(process.name), LAST_LINES)
    advice = f"fix what its last lines say, then repeat (more of them: `linli logs {process.name}`)"
    return Trouble(f"{process.name} {what}: {advice}.", lines=lines)


ASK: dict[Kind, Callable[[Layout, Process, float], Readiness]] = {
    "kafka": _broker,
    "mongo": _database,
    "web": _readyz,
    "worker": _readyz,
    "gateway": lambda layout, _, seconds: Readiness(get_over(layout.home.gateway_admin, "/ready", seconds) == 200),
}
