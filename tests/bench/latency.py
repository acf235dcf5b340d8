"""How long people wait at a steady rate: for the answer, for the message in the inbox, for the line in the stream."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, Spread, at_most
from tests.bench.watching import Watch, watch

NAME = "latency"
TITLE = "Open loop at 50 a second: how long people wait"

RATE = 50.0
WARM = 3.0
LISTENERS = 32
# Milliseconds at most, for half and for all but one in a hundred.
PROMISED: Mapping[str, tuple[float, float]] = {
    "POST → answer": (8, 40),
    "POST → message readable in the inbox": (15, 60),
    "POST → line in the stream": (20, 65),
}


async def measure(bench: Bench) -> list[Figure]:
    """Residents file, fifty a second whatever happens; every fifth listens, every 25th looks into the inbox."""
    seconds = bench.pace.seconds(60, 5)
    job = Watch(bench.stack.gateway, bench.residents, LISTENERS, RATE, WARM, seconds)
    (seen,) = await bench.drive(watch, job)
    read = {"read, with the look's own time": Spread.of(seen.read).reported()}
    figures = [
        *_figures("POST → answer", seen.answered),
        *_figures("POST → message readable in the inbox", seen.readable, read),
        *_figures("POST → line in the stream", seen.streamed),
    ]
    lost = Figure("not accepted, or not told within 10 s", len(seen.lost), "", at_most(0), Counter(seen.lost))
    await bench.quiet()
    return [*figures, lost]


def _figures(name: str, values: Sequence[float], more: Mapping[str, object] | None = None) -> list[Figure]:
    spread, promised = Spread.of(values), PROMISED[name]
    reported = spread.reported()
    chart = Bars(f"{name}, at 50/s", "ms", {part: reported[part] for part in ("p50", "p90", "p99", "max")})
    detail = {**reported, **(more or {})}
    return [
        Figure(f"{name}, p50", spread.p50, "ms", at_most(promised[0]), detail, chart),
        Figure(f"{name}, p99", spread.p99, "ms", at_most(promised[1])),
    ]
