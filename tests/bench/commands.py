"""Create and change commands of 32 clients through the gateway, held against the ceiling."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.bench import ceiling, driving, operations, processors, reading, scripts
from tests.bench.bench import DRIVERS, Bench
from tests.bench.driving import ENDLESS, Closed
from tests.bench.figures import Bars, Bound, Figure, Spread, at_least, at_most
from tests.bench.reading import Ask, Reading
from tests.bench.requests_sent import Outcome, Sample, Script, milliseconds, rate, together

NAME = "commands"
TITLE = "Create and change commands, 32 clients, through the gateway"

CLIENTS = 32
WARM = 2.0
SHARE = 0.5
FASTER = 3.0
# Accepted a second; milliseconds of processor time for one, with both cores full; database calls for one.
RATES = {"create": 220, "change": 450}
MOST_MS = {"create": 9}
MOST_CALLS = {"create": 6, "change": 3}
READERS, TIMELINES, LEAST_TIMELINES = 16, 2_000, 500


@dataclass(frozen=True)
class Run:
    """One closed loop: how many were accepted a second, and everything that was noted."""

    rate: float
    costs: Sequence[Figure]
    outcomes: Sequence[Outcome]
    samples: Sequence[Sample]

    @property
    def lost(self) -> int:
        """How many were not accepted, whenever that was."""
        return sum(not sample.ok for sample in together(self.outcomes))

    def detail(self) -> dict[str, object]:
        """What one wants to know beside the rate."""
        statuses = Counter(str(sample.status) for sample in self.samples)
        busy = max(outcome.busy for outcome in self.outcomes)
        milliseconds_taken = Spread.of(milliseconds(self.samples)).reported()
        return {"ms": milliseconds_taken, "answers": dict(statuses), "busiest driver, share of a core": round(busy, 2)}


async def measure(bench: Bench) -> list[Figure]:
    """The driver against what costs nothing, then filing, then the steps of what was filed."""
    top, seconds = await ceiling.known(bench), bench.pace.seconds(15, 3)
    cheap = await _run(bench, "refused", [scripts.filings(bench, "/v1/nothing-there")] * DRIVERS, seconds / 3)
    runs = await measured(bench, seconds)
    rates = {name: run.rate for name, run in runs.items()}
    bench.known |= rates
    timelines = await _timelines(bench, runs["create"])
    return [*_figures(top, runs), timelines, _driver(cheap, max(rates.values()))]


async def measured(bench: Bench, seconds: float) -> dict[str, Run]:
    """Filing, and the steps of what was filed, by 32 clients for so long each."""
    create = await _run(bench, "create", [scripts.filings(bench)] * DRIVERS, seconds)
    return {"create": create, "change": await _run(bench, "change", _steps_of(bench, create), seconds, rounds=1)}


async def capacity(bench: Bench, seconds: float) -> float:
    """How many requests a second are filed by 32 clients: of this run, or measured now."""
    if "create" not in bench.known:
        bench.known["create"] = (await _run(bench, "create", [scripts.filings(bench)] * DRIVERS, seconds)).rate
    return bench.known["create"]


async def _run(
    bench: Bench, name: str, shares: Sequence[Sequence[Script]], seconds: float, rounds: int = ENDLESS
) -> Run:
    before = processors.spent(bench), await operations.done(bench)
    start, each = driving.soon(), CLIENTS // len(shares)
    jobs = [Closed(bench.stack.gateway, share, each, start, WARM + seconds, rounds) for share in shares]
    outcomes = await bench.drive(driving.closed, *jobs)
    arrived = await bench.quiet()
    bench.say(f"  {name}: driven, all arrived {arrived:.1f} s later")
    samples = together(outcomes)
    # With what came after it: an event that is published and consumed later is part of what its command costs.
    accepted = sum(sample.ok for sample in samples)
    costs = (
        processors.each(name, before[0], processors.spent(bench), accepted, _most(MOST_MS, name)),
        operations.each(name, before[1], await operations.done(bench), accepted, _most(MOST_CALLS, name)),
    )
    # Where the scripts were over sooner, the window ends with them.
    end = min(WARM + seconds, *(outcome.samples[-1].done for outcome in outcomes))
    return Run(rate(samples, WARM, end), costs, outcomes, [s for s in samples if WARM <= s.done < end])


async def _timelines(bench: Bench, create: Run) -> Figure:
    """The timelines of cases that have gone through steps, each by its resident."""
    kind, residents = "the timeline of one case", bench.residents
    made = [(case, residents[number]) for outcome in create.outcomes for number, case in outcome.made][:TIMELINES]
    asks = [Ask(kind, f"/v1/requests/{case}/timeline", token) for case, token in made]
    job = Reading(bench.stack.gateway, asks, READERS)
    (seen,) = await bench.drive(reading.read, job)
    return reading.rated(f"{kind}: {READERS} readers through the gateway", seen, LEAST_TIMELINES, least_entries=3)


def _steps_of(bench: Bench, create: Run) -> list[list[Script]]:
    """The steps of every case that was filed, half of the cases for each driver."""
    residents = bench.residents
    made = [(case, residents[number]) for outcome in create.outcomes for number, case in outcome.made]
    return [scripts.changes(bench, made[n::DRIVERS]) for n in range(DRIVERS)]


def _figures(top: float, runs: dict[str, Run]) -> list[Figure]:
    chart = Bars("Commands a second, 32 clients", "/s", {"ceiling": top, **{n: r.rate for n, r in runs.items()}})
    shares = [
        Figure(f"{name} commands, share of the ceiling", run.rate / top, "×", at_least(SHARE), {"ceiling": round(top)})
        for name, run in runs.items()
    ]
    first, *others = (
        Figure(f"{name} commands", run.rate, "/s", at_least(RATES[name]), run.detail()) for name, run in runs.items()
    )
    refused = [
        Figure(f"{name} commands that were not accepted", run.lost, "", at_most(0)) for name, run in runs.items()
    ]
    costs = [cost for run in runs.values() for cost in run.costs]
    return [replace(first, chart=chart), *others, *refused, *shares, *costs]


def _most(limits: Mapping[str, float], name: str) -> Bound | None:
    return at_most(limits[name]) if name in limits else None


def _driver(cheap: Run, fastest: float) -> Figure:
    """The same requests to a path that the gateway itself refuses, after it has verified the token."""
    answered = len(cheap.samples) / (cheap.samples[-1].done - WARM)
    detail = {"answers a second": round(answered)}
    return Figure("the driver alone, against the fastest", answered / fastest, "×", at_least(FASTER), detail)
