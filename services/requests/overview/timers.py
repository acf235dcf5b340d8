"""Counts cases periodically."""

import asyncio
import time

from services.chassis.storage.leases import Lease
from services.chassis.usecase import Container
from services.requests.overview import metrics
from services.requests.overview.queries import ENDED, LIVE, NOTHING, Counted, counted

EVERY, ENDED_EVERY = 15.0, 300.0
"""Seconds between two counts, of open and of ended cases."""
_LOOK = 1.0
_AT_ONCE = float("-inf")


async def count_cases(lease: Lease, container: Container) -> None:
    """Keep the gauges up to date; only with the lease, otherwise several workers would report the same cases."""
    live_at = ended_at = _AT_ONCE
    ended = NOTHING
    while True:
        ours, now = await lease.acquire(), time.monotonic()
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
        metrics.cases_overdue.labels("").set(0)  # counted as zero: without a sample it would be unknown
