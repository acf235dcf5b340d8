"""How long it takes to start everything again where the data is."""

import time

from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, at_most

NAME = "warm-start"
TITLE = "Starting again, with the data there"

MOST_SECONDS = 8


async def measure(bench: Bench) -> list[Figure]:
    """Stop all, start all as `linli up` does, until every process is ready."""
    stopped = time.monotonic()
    bench.stack.down()
    began = time.monotonic()
    ready: dict[str, float] = {}

    def note(process: str, state: str) -> None:
        if state in ("ready", "migrated"):
            ready.setdefault(process, round(time.monotonic() - began, 1))

    bench.stack.up(note)
    seconds = time.monotonic() - began
    chart = Bars("Ready after the start, by process", "s", ready)
    detail = {"stopping, s": round(began - stopped, 1), **ready}
    return [Figure("`linli up`, warm", seconds, "s", at_most(MOST_SECONDS), detail, chart)]
