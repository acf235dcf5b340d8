"""Stopping a stack: gateway, services, stores, supervisor; then a check that nothing is left."""

import time
from collections.abc import Callable, Iterable

import psutil

from deploy.local import supervision
from deploy.local.layout import Layout
from deploy.local.ports import is_busy, listeners
from deploy.local.trouble import Trouble

# A process has 25 s before the supervisor kills it, and there are three layers of processes.
LAYER_SECONDS = 35
SUPERVISOR_SECONDS = 15
PAUSE_SECONDS = 0.1


def all_of(layout: Layout, report: Callable[[str, str], None]) -> None:
    """Stop everything of this home; Trouble naming what could not be stopped."""
    layout = layout.remembered() or layout
    if not supervision.is_running(layout.home):
        after_crash(layout)
        return
    ours = _family(supervision.pid(layout.home))
    for layer in (2, 1, 0):
        names = [process.name for process in layout.processes if process.layer == layer]
        some_of(layout, names)
        for name in names:
            report(name, "stopped")
    supervision.ask(layout.home, "shutdown")
    _, left = psutil.wait_procs(ours, timeout=SUPERVISOR_SECONDS)
    _kill(left)
    _refuse_leftovers(ours)
    layout.forget()


def after_crash(layout: Layout) -> None:
    """Wait for the processes of a dead supervisor: each got SIGTERM when it died."""
    if layout.remembered() is None:
        return
    ports = [port for process in layout.processes for port in process.ports]
    deadline = time.monotonic() + LAYER_SECONDS
    while any(is_busy(layout.ports.named()[port]) for port in ports) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    layout.ports.refuse_busy(ports)
    layout.forget()


def some_of(layout: Layout, names: Iterable[str]) -> None:
    """Stop these processes in parallel and wait until they are gone."""
    names = tuple(names)
    for name in names:
        supervision.stop_process(layout.home, name)
    deadline = time.monotonic() + LAYER_SECONDS
    while time.monotonic() < deadline:
        seen = supervision.seen(layout.home)
        if not any(seen[name].pid for name in names):
            return
        time.sleep(PAUSE_SECONDS)


def _family(pid: int) -> list[psutil.Process]:
    """The supervisor and all its descendants."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    killed = list(processes)
    for process in killed:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(killed, timeout=5)


def _refuse_leftovers(ours: list[psutil.Process]) -> None:
    left = [process for process in ours if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise Trouble(f"These processes of Linli could not be stopped: {pids}; look at them with `ps -fp {pids}`.")
    pids_of_ours = {process.pid for process in ours}
    held = [str(port) for port, pid in listeners() if pid in pids_of_ours]
    if held:
        raise Trouble(f"Ports {', '.join(held)} are still open after Linli stopped; repeat `linli down`.")
