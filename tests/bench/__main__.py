"""`python -m tests.bench`: measure what Linli promises of speed and memory, on a stack of its own."""

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local import Trouble
from deploy.local.home import CHECKOUT
from tests.bench import page, town
from tests.bench.bench import Bench, Measurement, Pace, opened
from tests.bench.figures import Figure, at_most
from tests.bench.machine import facts
from tests.bench.measurements import MEASUREMENTS
from tests.bench.report import Report, Section, say, table

NOT_MET, CANNOT = 1, 2


def main() -> int:
    """Run what was asked for; 0: every bound is met, 1: one is not, 2: it could not be measured."""
    asked = _asked()
    if asked.before:
        page.keep_before([Report.read(file) for file in asked.before])
    if asked.page_of:
        page.write(Report.read(asked.page_of))
    if asked.before or asked.page_of:
        return 0
    chosen = [m for m in MEASUREMENTS if not asked.only or m.NAME in asked.only]
    try:
        with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
            report = _run(Path(folder), chosen, Pace(asked.quick, asked.soak))
    except Trouble as trouble:
        say(f"{trouble.sentence}\n" + "\n".join(f"  | {line}" for line in trouble.lines))
        return CANNOT
    report.write(asked.json)
    say(f"{report.seconds:.0f} s in all; everything stands in {asked.json}")
    if asked.page:
        page.write(report)
    return NOT_MET if any(figure.met is False for section in report.sections for figure in section.figures) else 0


def _run(folder: Path, chosen: Sequence[Measurement], pace: Pace) -> Report:
    """All chosen measurements, one after the other, on one stack."""
    reported, began = facts(), time.monotonic()
    say("starting and seeding a stack of its own")
    with town.running(folder) as stack:

        async def measured() -> list[Section]:
            async with opened(stack, folder, pace, say) as bench:
                return [await _one(measurement, bench) for measurement in chosen]

        # In this thread: the stack is tied to it, and one measurement starts the stack again.
        sections = asyncio.run(measured())
    return Report(reported, pace.quick, sections, time.monotonic() - began)


async def _one(measurement: Measurement, bench: Bench) -> Section:
    say(f"{measurement.NAME}: {measurement.TITLE}")
    began = time.monotonic()
    figures = await _measured(measurement, bench)
    section = Section(measurement.NAME, measurement.TITLE, figures, time.monotonic() - began)
    say(table(section))
    return section


async def _measured(measurement: Measurement, bench: Bench) -> list[Figure]:
    """Its figures; where it fails, one that says so: what came before, and what comes after, still counts."""
    try:
        return await measurement.measure(bench)
    except Exception as error:
        because = error.sentence if isinstance(error, Trouble) else f"{type(error).__name__}: {error}"
        return [Figure(f"{measurement.NAME} could not be measured", math.nan, "", at_most(0), {"because": because})]


def _asked() -> argparse.Namespace:
    names = [measurement.NAME for measurement in MEASUREMENTS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="far shorter, to try the bench itself: no figure counts")
    parser.add_argument("--soak", type=float, default=180, metavar="SECONDS", help="the length of the soak (180)")
    parser.add_argument("--page-of", type=Path, metavar="FILE", help="write the page of a run whose JSON was kept")
    parser.add_argument(
        "--before", type=Path, nargs="+", metavar="FILE", help="keep the figures of these runs as those of before"
    )
    parser.add_argument("--json", type=Path, default=CHECKOUT / ".linli" / "bench.json", metavar="FILE")
    parser.add_argument("--page", action="store_true", help="make docs/performance.md and its charts of this run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
