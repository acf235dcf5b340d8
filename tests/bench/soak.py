"""Whole cases at a steady twenty commands a second, for as long as is asked, and what becomes of the memory."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from tests.bench import driving, scripts
from tests.bench.bench import Bench
from tests.bench.driving import Open
from tests.bench.figures import Figure, Lines, Spread, at_most
from tests.bench.memory import resident
from tests.bench.requests_sent import milliseconds

NAME = "soak"
TITLE = "A soak at 20 commands a second"

RATE = 20.0
LOOKS = 60
# Before that share of the soak caches still fill.
SETTLED = 1 / 3
# Growth in an hour that no measuring of this length tells from none; a leak of 1 KiB a command is 70 MiB an hour.
MOST_MIB_AN_HOUR = 8.0
# They fill caches of a size that is set: 256 MiB for each database, the heap for Kafka. Shown, not judged.
CACHES = ("kafka", "mongo-members", "mongo-requests", "mongo-notify")


async def measure(bench: Bench) -> list[Figure]:
    """Residents file, their cases are taken to the end; memory is looked at sixty times."""
    seconds = bench.pace.seconds(bench.pace.soak, 12)
    life = scripts.lives(bench)
    job = Open(bench.stack.gateway, life, [(RATE / len(life[0]), seconds)], driving.soon())
    driven = asyncio.create_task(bench.drive(driving.opened, job))
    looks = [(await _look(bench, seconds / LOOKS)) for _ in range(LOOKS)]
    (outcome,) = await driven
    await bench.quiet()
    refused = Counter(f"{s.kind} {s.status}" for s in outcome.samples if not s.ok)
    spread = Spread.of(milliseconds(outcome.samples))
    return [
        *_growth(looks, seconds / LOOKS),
        Figure("commands of the soak, p99", spread.p99, "ms", None, spread.reported()),
        Figure("commands of the soak that were not accepted", refused.total(), "", at_most(0), refused),
    ]


async def _look(bench: Bench, pause: float) -> Mapping[str, float]:
    await asyncio.sleep(pause)
    return resident(bench)


def _growth(looks: Sequence[Mapping[str, float]], step: float) -> list[Figure]:
    slopes = {name: _slope([look[name] for look in looks], step) for name in looks[0]}
    ours = {name: slope for name, slope in slopes.items() if name not in CACHES}
    worst = max(ours, key=lambda name: ours[name])
    detail = {"that is": worst, **{name: round(slope, 1) for name, slope in slopes.items()}}
    chart = Lines("Resident memory during the soak", "MiB", step, {n: [look[n] for look in looks] for n in ours})
    bound = at_most(MOST_MIB_AN_HOUR)
    return [Figure("growth of the process that grows most", ours[worst], "MiB/h", bound, detail, chart)]


def _slope(mib: Sequence[float], step: float) -> float:
    """MiB an hour: the median slope of all pairs (Theil and Sen), which no single jump moves."""
    settled = mib[int(len(mib) * SETTLED) :]
    pairs = combinations(enumerate(settled), 2)
    return statistics.median((b - a) / (j - i) for (i, a), (j, b) in pairs) * 3600 / step
