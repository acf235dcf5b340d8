"""What a filed case costs at a modest rate, and what a city costs in which nothing happens."""

import asyncio
import time
from collections.abc import Mapping

from tests.bench import driving, operations, processors, scripts
from tests.bench.bench import Bench
from tests.bench.driving import Open
from tests.bench.figures import Figure, Spread, at_most
from tests.bench.requests_sent import milliseconds

NAME = "cost"
TITLE = "What a case costs at 20 a second, and what nothing costs"

RATE = 20.0
WARM = 5.0
STORES = ("mongo-members", "mongo-requests", "mongo-notify")
OTHERS = (*STORES, "kafka", "gateway")
MOST_MS, MOST_OPERATIONS, MOST_IDLE = 20.0, 10.0, 0.05


async def measure(bench: Bench) -> list[Figure]:
    """Residents file, twenty a second whatever happens; then nobody does anything."""
    await _filed(bench, WARM)
    before = processors.spent(bench), await operations.done(bench)
    waited, refused = await _filed(bench, bench.pace.seconds(30, 3))
    count = len(waited)
    costs = [
        processors.each("case at 20/s", before[0], processors.spent(bench), count, at_most(MOST_MS)),
        operations.each("case at 20/s", before[1], await operations.done(bench), count, at_most(MOST_OPERATIONS)),
    ]
    spread = Spread.of(waited)
    answered = Figure("POST at 20/s, p50", spread.p50, "ms", None, spread.reported())
    lost = Figure("not accepted at 20/s", refused, "", at_most(0))
    return [*costs, answered, lost, *await _idle(bench)]


async def _filed(bench: Bench, seconds: float) -> tuple[list[float], int]:
    """(milliseconds that each accepted one took, how many were not accepted), when all has arrived everywhere."""
    job = Open(bench.stack.gateway, scripts.filings(bench), [(RATE, seconds)], driving.soon())
    (outcome,) = await bench.drive(driving.opened, job)
    await bench.quiet()
    accepted = [sample for sample in outcome.samples if sample.ok]
    return milliseconds(accepted), len(outcome.samples) - len(accepted)


async def _idle(bench: Bench) -> list[Figure]:
    """Shares of one processor: of our own processes, and of the databases."""
    seconds = bench.pace.seconds(20, 3)
    await asyncio.sleep(seconds / 4)
    before, began = processors.spent(bench), time.monotonic()
    await asyncio.sleep(seconds)
    after, passed = processors.spent(bench), time.monotonic() - began
    shares: Mapping[str, float] = {name: (after[name] - before[name]) / passed for name in after}
    stores = sum(shares[name] for name in STORES)
    ours = sum(share for name, share in shares.items() if name not in OTHERS)
    detail = {name: round(share, 4) for name, share in shares.items()}
    return [
        Figure("idle: our processes", ours, "cores", at_most(MOST_IDLE), detail),
        Figure("idle: the databases", stores, "cores", at_most(MOST_IDLE)),
    ]
