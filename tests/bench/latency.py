"""How long people wait at a steady rate: for the answer, for the message in the inbox, for the line in the stream."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, Spread, at_most
from tests.bench.watching import Watch, watch

NAME = "latency"
TITLE = "Open loop at 50 a second, and at 5: how long people wait"

SEVERAL, FEW = 50.0, 5.0
WARM = 3.0
LISTENERS = 32
ANSWER, INBOX, STREAM = "POST → answer", "POST → message readable in the inbox", "POST → line in the stream"
# Milliseconds at most, for half and for all but one in a hundred (none: nothing is promised), by the rate.
PROMISED: Mapping[float, Mapping[str, tuple[float, float | None]]] = {
    SEVERAL: {ANSWER: (12, 60), INBOX: (50, 200), STREAM: (55, 205)},
    FEW: {ANSWER: (8, None), INBOX: (30, None), STREAM: (35, None)},
}


# Of so many filings one is looked for in the inbox: so that looking is no load of its own.
LOOKING: Mapping[float, int] = {SEVERAL: 25, FEW: 5}


async def measure(bench: Bench) -> list[Figure]:
    """Residents file at a steady rate whatever happens; every fifth listens, some look into their inbox."""
    return [*await _at(bench, FEW, bench.pace.seconds(60, 5)), *await _at(bench, SEVERAL, bench.pace.seconds(60, 5))]


async def _at(bench: Bench, rate: float, seconds: float) -> list[Figure]:
    job = Watch(bench.stack.gateway, bench.residents, LISTENERS, rate, WARM, seconds, LOOKING[rate])
    (seen,) = await bench.drive(watch, job)
    read = {"read, with the look's own time": Spread.of(seen.read).reported()}
    at = "" if rate == SEVERAL else f" at {rate:g}/s"
    figures = [
        *_figures(rate, ANSWER, seen.answered),
        *_figures(rate, INBOX, seen.readable, read),
        *_figures(rate, STREAM, seen.streamed),
    ]
    lost = Figure(f"not accepted, or not told within 10 s{at}", len(seen.lost), "", at_most(0), Counter(seen.lost))
    await bench.quiet()
    return [*figures, lost]


def _figures(rate: float, name: str, values: Sequence[float], more: Mapping[str, object] | None = None) -> list[Figure]:
    spread, promised = Spread.of(values), PROMISED[rate][name]
    reported = spread.reported()
    chart = Bars(f"{name}, at {rate:g}/s", "ms", {part: reported[part] for part in ("p50", "p90", "p99", "max")})
    detail = {**reported, **(more or {})}
    at = "" if rate == SEVERAL else f" at {rate:g}/s"
    half = Figure(f"{name}{at}, p50", spread.p50, "ms", at_most(promised[0]), detail, chart)
    if promised[1] is None:
        return [half]
    return [half, Figure(f"{name}{at}, p99", spread.p99, "ms", at_most(promised[1]))]
