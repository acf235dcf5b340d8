"""Waiting until a process is ready, or saying why it never will be."""

import time
import urllib.request
from collections.abc import Callable, Iterable
from urllib.error import HTTPError, URLError

from deploy.local import broker, databases, supervision
from deploy.local.layout import Layout
from deploy.local.logs import last_lines
from deploy.local.processes import Kind, Process
from deploy.local.supervision import Seen
from deploy.local.trouble import Trouble

PATIENCE_SECONDS = 90
PAUSE_SECONDS = 0.1
LAST_LINES = 15


def until_ready(layout: Layout, processes: Iterable[Process], report: Callable[[str, str], None]) -> None:
    """Wait for all of them; Trouble with the last words of one that stops, or is not ready in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting, first = list(processes), supervision.seen(layout.home)
    while waiting:
        now = supervision.seen(layout.home)
        for process in tuple(waiting):
            if is_ready(layout, process):
                waiting.remove(process)
                report(process.name, "ready")
            else:
                _refuse_crash(layout, process, first[process.name], now[process.name])
        if waiting and time.monotonic() > deadline:
            raise _trouble(layout, waiting[0], f"is not ready after {PATIENCE_SECONDS} s {reason(layout, waiting[0])}")
        first = {name: one if one.pid else first[name] for name, one in now.items()}
        time.sleep(PAUSE_SECONDS)


def _refuse_crash(layout: Layout, process: Process, before: Seen, now: Seen) -> None:
    if now.state == "FATAL" or (before.pid and now.pid != before.pid):
        raise _trouble(layout, process, "stops as soon as it is started")


def is_ready(layout: Layout, process: Process, seconds: float = 2) -> bool:
    """Whether a process does its work now, asked for at most so many seconds."""
    return READY[process.kind](layout, process, seconds)


def reason(layout: Layout, process: Process, seconds: float = 2) -> str:
    """What /readyz of a web or worker says, in at most 200 characters; empty for others."""
    if process.kind not in ("web", "worker"):
        return ""
    return get(f"{layout.address(process.name)}/readyz", seconds)[1][:200]


def get(address: str, seconds: float) -> tuple[int, str]:
    """Status and body of an HTTP answer; (0, why) if there is none."""
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (URLError, OSError) as error:
        return 0, f"no answer: {error}"


def _trouble(layout: Layout, process: Process, what: str) -> Trouble:
    lines = last_lines(layout.home.log(process.name), LAST_LINES)
    advice = f"mend what its last lines say, then repeat (more of them: `linli logs {process.name}`)"
    return Trouble(f"{process.name} {what}: {advice}.", lines=lines)


READY: dict[Kind, Callable[[Layout, Process, float], bool]] = {
    "kafka": lambda layout, _, seconds: broker.answers(layout.kafka, seconds),
    "mongo": lambda layout, process, _: databases.is_primary(process.service, layout.ports),
    "web": lambda layout, process, seconds: get(f"{layout.address(process.name)}/readyz", seconds)[0] == 200,
    "worker": lambda layout, process, seconds: get(f"{layout.address(process.name)}/readyz", seconds)[0] == 200,
    "gateway": lambda layout, _, seconds: get(f"{layout.admin}/ready", seconds)[0] == 200,
}
