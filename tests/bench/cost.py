"""What a filed case costs at a modest rate, and what a city costs in which nothing happens."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from tests.bench import driving, operations, processors, scripts
from tests.bench.bench import Bench
from tests.bench.driving import Open
from tests.bench.figures import Figure, Spread, at_most
from tests.bench.requests_sent import Outcome, Script, milliseconds

NAME = "cost"
TITLE = "What a case costs at 20 a second, and what nothing costs"

RATE = 20.0
WARM = 5.0
STORES = ("mongo-members", "mongo-requests", "mongo-notify")
OTHERS = (*STORES, "kafka", "gateway")
MOST_MS, MOST_OPERATIONS, MOST_STEP_OPERATIONS, MOST_IDLE = 20.0, 10.0, 6.0, 0.05
STEPS = ("accept", "start", "resolve")
STEPPED = 200
"""So many cases are taken through these steps."""


async def measure(bench: Bench) -> list[Figure]:
    """Residents file, twenty a second whatever happens, a handler takes steps, then nobody does anything."""
    await _sent(bench, scripts.filings(bench), WARM)
    before = processors.spent(bench), await operations.done(bench)
    outcome = await _sent(bench, scripts.filings(bench), bench.pace.seconds(30, 3))
    accepted = [sample for sample in outcome.samples if sample.ok]
    waited, refused, count = milliseconds(accepted), len(outcome.samples) - len(accepted), len(accepted)
    costs = [
        processors.each("case at 20/s", before[0], processors.spent(bench), count, at_most(MOST_MS)),
        operations.each("case at 20/s", before[1], await operations.done(bench), count, at_most(MOST_OPERATIONS)),
    ]
    spread = Spread.of(waited)
    answered = Figure("POST at 20/s, p50", spread.p50, "ms", None, spread.reported())
    lost = Figure("not accepted at 20/s", refused, "", at_most(0))
    return [*costs, answered, lost, *await _steps(bench, outcome), *await _idle(bench)]


async def _steps(bench: Bench, filed: Outcome) -> list[Figure]:
    """What one of a handler's steps costs, at the same rate: all cases take the first, then all the next."""
    residents = bench.residents
    cases = [(case, residents[number]) for number, case in filed.made[:STEPPED]]
    whole = scripts.changes(bench, cases)
    single = [(shot,) for step in STEPS for script in whole for shot in script if shot.kind == step]
    before = processors.spent(bench), await operations.done(bench)
    outcome = await _sent(bench, single, len(single) / RATE)
    count = sum(sample.ok for sample in outcome.samples)
    return [
        processors.each("step at 20/s", before[0], processors.spent(bench), count),
        operations.each("step at 20/s", before[1], await operations.done(bench), count, at_most(MOST_STEP_OPERATIONS)),
        Figure("steps not accepted at 20/s", len(outcome.samples) - count, "", at_most(0)),
    ]


async def _sent(bench: Bench, what: Sequence[Script], seconds: float) -> Outcome:
    """All that was noted, when everything has arrived everywhere."""
    job = Open(bench.stack.gateway, what, [(RATE, seconds)], driving.soon())
    (outcome,) = await bench.drive(driving.opened, job)
    await bench.quiet()
    return outcome


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
