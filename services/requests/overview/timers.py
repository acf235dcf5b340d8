"""Counts cases periodically."""

import time

from services.chassis.schedule.scheduler import Periodic
from services.chassis.usecase import Container
from services.requests.overview import metrics
from services.requests.overview.queries import ENDED, LIVE, NOTHING, Counted, counted

EVERY, ENDED_EVERY = 15.0, 300.0
"""Seconds between two counts, of open and of ended cases."""


class CaseCount:
    """The gauges of cases. Only one worker shows them, otherwise several would report the same cases."""

    def __init__(self) -> None:
        self._ended = NOTHING
        self._ended_until = float("-inf")

    async def take(self, container: Container) -> None:
        """Count the open cases, and the ended ones less often. Unavailable."""
        if (now := time.monotonic()) >= self._ended_until:
            self._ended, self._ended_until = await counted(container.mongo, ENDED), now + ENDED_EVERY
        _show(await counted(container.mongo, LIVE), self._ended)

    def clear(self) -> None:
        """Show nothing."""
        self._ended_until = float("-inf")
        _show()


_count = CaseCount()

count_cases = Periodic("count-cases", _count.take, EVERY, _count.clear)


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
