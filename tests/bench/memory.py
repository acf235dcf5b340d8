"""Resident memory of everything that runs, process by process."""

from collections.abc import Mapping

import psutil

from deploy.local import supervision
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, at_most

NAME = "memory"
TITLE = "Resident memory after the load"

MIB = 2**20
MOST_MIB = 1.3 * 1024
KAFKA = "kafka"


async def measure(bench: Bench) -> list[Figure]:
    """Of all processes as they stand after whatever ran before."""
    found = resident(bench)
    rest = sum(mib for name, mib in found.items() if name != KAFKA)
    chart = Bars("Resident memory by process", "MiB", found)
    detail = {name: round(mib, 1) for name, mib in found.items()}
    return [Figure("resident memory of everything without Kafka", rest, "MiB", at_most(MOST_MIB), detail, chart)]


def resident(bench: Bench) -> Mapping[str, float]:
    """MiB by process, the supervisor among them."""
    home = bench.stack.home
    pids = {name: seen.pid for name, seen in sorted(supervision.seen(home).items()) if seen.pid}
    pids["supervisor"] = supervision.pid(home)
    return {name: psutil.Process(pid).memory_info().rss / MIB for name, pid in pids.items()}
