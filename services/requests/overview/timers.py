"""What is counted again and again."""

import asyncio
import time

from services.chassis.storage.leases import Lease
from services.chassis.usecase import Container
from services.requests.overview import metrics
from services.requests.overview.queries import ENDED, LIVE, NOTHING, Counted, counted

EVERY, ENDED_EVERY = 15.0, 300.0
"""Seconds from one count to the next, of the cases that still move and of those that are over."""
_LOOK = 1.0
_AT_ONCE = float("-inf")


async def count_cases(lease: Lease, container: Container) -> None:
    """Keep the gauges at how many cases there are; only with the lease, or N workers would tell N times as many."""
    live_at = ended_at = _AT_ONCE
    ended = NOTHING
    while True:
        ours, now = await lease.hold(), time.monotonic()
        if not ours:
            _show()
            live_at = ended_at = _AT_ONCE
        elif now >= live_at:
            if now >= ended_at:
                ended, ended_at = await counted(container.mongo, ENDED), now + ENDED_EVERY
            _show(await counted(container.mongo, LIVE), ended)
            live_at = now + EVERY
        await asyncio.sleep(_LOOK)


def _show(*counts: Counted) -> None:
    metrics.cases.clear()
    metrics.cases_overdue.clear()
    for count in counts:
        for (state, system, county), number in count.cases.items():
            metrics.cases.labels(state, system, county).inc(number)
        for county, number in count.overdue.items():
            metrics.cases_overdue.labels(county).inc(number)
    if counts and not any(count.overdue for count in counts):
        metrics.cases_overdue.labels("").set(0)  # counted, and none: without a sample it would not be known
