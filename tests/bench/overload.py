"""Twice the sustainable load for two minutes: accepted requests are served, the others get 503 with Retry-After."""

import asyncio
import math
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from deploy.local.home import CHECKOUT
from tests.bench import commands, driving, scripts
from tests.bench.bench import DRIVERS, Bench
from tests.bench.driving import Open
from tests.bench.figures import Figure, Lines, Spread, at_most
from tests.bench.requests_sent import Sample, milliseconds, rate, together

NAME = "overload"
TITLE = "Twice the sustainable load"

MOST_P99_MS = 500
MOST_RECOVERY_SECONDS = 5
# Of what 32 clients reach in a closed loop: the ramp, and what is taken where not even its first step holds.
RAMP = (0.6, 0.75, 0.9, 1.05, 1.2)
LEAST = 0.5
# After a step of the ramp everything must have arrived within this many seconds, or the rate was not sustainable.
ARRIVES_SECONDS = 5
SHED = (429, 503)
# A second is as before where its p99 is no more than twice that of the quiet seconds before the load.
AS_BEFORE = 2.0


@dataclass(frozen=True)
class Course:
    """The rates of one run (a second) and how long each holds (seconds): quiet, twice the load, quiet again."""

    sustained: float
    before: float
    overload: float
    after: float

    @property
    def phases(self) -> Sequence[tuple[float, float]]:
        """As a driver takes them, each of them its share."""
        quiet, twice = self.sustained / 2 / DRIVERS, 2 * self.sustained / DRIVERS
        return (quiet, self.before), (twice, self.overload), (quiet, self.after)

    @property
    def over(self) -> float:
        """When the overload ends, in seconds since the start."""
        return self.before + self.overload


async def measure(bench: Bench) -> list[Figure]:
    """Find the sustainable rate, go to twice of it and back, and count everything again."""
    sustained = await _sustained(bench)
    course = Course(sustained, *(bench.pace.seconds(*each) for each in ((8, 4), (120, 10), (15, 8))))
    samples = await _driven(bench, course.phases)
    arrived = await bench.quiet()
    return [
        Figure("sustainable rate of filing, p99 below 500 ms", sustained, "/s"),
        *_overloaded(course, [s for s in samples if course.before <= s.due < course.over]),
        _recovery(course, samples),
        Figure("all that was accepted has arrived, after the end", arrived, "s"),
        await _verified(bench),
    ]


async def _sustained(bench: Bench) -> float:
    """The highest rate of the ramp at which all are accepted, in time, and arrive."""
    capacity, seconds, held = await commands.capacity(bench, 5), bench.pace.seconds(8, 3), LEAST
    for share in RAMP:
        samples = await _driven(bench, [(capacity * share / DRIVERS, seconds)])
        arrived = await bench.quiet()
        p99 = Spread.of(milliseconds(samples)).p99
        bench.say(f"  {capacity * share:.0f}/s: p99 {p99:.0f} ms, all arrived after {arrived:.1f} s")
        if not all(s.ok for s in samples) or p99 > MOST_P99_MS or arrived > ARRIVES_SECONDS:
            break
        held = share
    return capacity * held


async def _driven(bench: Bench, phases: Sequence[tuple[float, float]]) -> list[Sample]:
    start, filings = driving.soon(), scripts.filings(bench)
    jobs = [Open(bench.stack.gateway, filings[n::DRIVERS], phases, start) for n in range(DRIVERS)]
    return together(await bench.drive(driving.opened, *jobs))


def _overloaded(course: Course, samples: Sequence[Sample]) -> list[Figure]:
    spread = Spread.of(milliseconds(samples))
    untold = Counter(str(s.status) for s in samples if not s.ok and not (s.status in SHED and s.again))
    accepted = rate(samples, course.before, course.over)
    answers = dict(Counter(str(sample.status) for sample in samples))
    detail = {"due": round(2 * course.sustained), "answers": answers}
    return [
        Figure("accepted under twice the load", accepted, "/s", None, detail, _answers(course, samples)),
        Figure("accepted under twice the load, p99", spread.p99, "ms", at_most(MOST_P99_MS), spread.reported()),
        Figure("not accepted and not told when to come again", untold.total(), "", at_most(0), untold),
    ]


def _answers(course: Course, samples: Sequence[Sample]) -> Lines:
    seconds = range(int(course.before), int(course.over))
    accepted, others = Counter[int](), Counter[int]()
    for sample in samples:
        (accepted if sample.ok else others)[int(sample.due)] += 1
    series = {"accepted": [accepted[n] for n in seconds], "told to come again": [others[n] for n in seconds]}
    return Lines("Twice the sustainable load, by the second in which a request was due", "/s", 1, series)


def _recovery(course: Course, samples: Sequence[Sample]) -> Figure:
    """Seconds after the overload until every second is as before: none refused, p99 near that of before."""
    windows = [[s for s in samples if int(s.due) == n] for n in range(int(course.over + course.after))]
    p99 = [Spread.of(milliseconds(window)).p99 for window in windows]
    # The very first second opens the connections.
    quiet = max(p99[1 : int(course.before)])
    fine = [
        p <= max(AS_BEFORE * quiet, 1) and all(s.ok for s in window) for p, window in zip(p99, windows, strict=True)
    ]
    after = fine[int(course.over) :]
    bad = [n for n, is_fine in enumerate(after) if not is_fine]
    seconds = float(bad[-1] + 1) if bad else 0.0
    detail = {"p99 of a second before, ms": round(quiet, 1), "seconds looked at": len(after)}
    chart = Lines("p99 of the accepted: quiet, twice the load, quiet", "ms", 1, {"p99": [_known(p) for p in p99]})
    never = len(bad) > 0 and bad[-1] == len(after) - 1
    value = math.inf if never else seconds
    return Figure("recovery after the overload", value, "s", at_most(MOST_RECOVERY_SECONDS), detail, chart)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


async def _verified(bench: Bench) -> Figure:
    """`linli verify`, with everything that was written up to now."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    verify = (sys.executable, "-m", "deploy.cli.main", "verify", "--json")
    verifying = await asyncio.create_subprocess_exec(
        *verify, cwd=CHECKOUT, env={**bare, "LINLI_HOME": str(bench.stack.home.root)}, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await verifying.communicate()
    lines = orjson.loads(said)["lines"]
    broken = {f"{one['service']} {one['check']}": one["breaches"] for one in lines if one["breaches"]}
    return Figure("breaches that `linli verify` finds", sum(broken.values()), "", at_most(0), broken)
