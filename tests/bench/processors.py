"""How much processor time each process of the stack takes: where the time of a command goes, from outside."""

from collections.abc import Mapping

import psutil

from deploy.local import supervision
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Bound, Figure


def spent(bench: Bench) -> Mapping[str, float]:
    """Seconds of processor time by process, since each began."""
    pids = {name: seen.pid for name, seen in sorted(supervision.seen(bench.stack.home).items()) if seen.pid}
    times = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    return {name: time.user + time.system for name, time in times.items()}


def each(
    name: str, before: Mapping[str, float], after: Mapping[str, float], commands: int, bound: Bound | None = None
) -> Figure:
    """Milliseconds of processor time for one command, by process."""
    taken = {process: (after[process] - before[process]) * 1000 / max(1, commands) for process in after}
    chart = Bars(f"Processor time for one {name} command, by process", "ms", taken)
    detail = {process: round(value, 3) for process, value in taken.items()}
    return Figure(f"processor time for one {name} command", sum(taken.values()), "ms", bound, detail, chart)
