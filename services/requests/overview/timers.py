"""What is counted again and again."""

import asyncio

from services.chassis.ops import metrics
from services.chassis.usecase import House
from services.requests.overview.queries import counted

EVERY = 15.0
"""Seconds from one count to the next."""


async def count_cases(house: House) -> None:
    """Set the gauges to how many cases there are, then rest."""
    now = await counted(house.mongo)
    metrics.cases.clear()
    for (state, system, county), number in now.cases.items():
        metrics.cases.labels(state, system, county).set(number)
    metrics.cases_overdue.clear()
    for county, number in now.overdue.items():
        metrics.cases_overdue.labels(county).set(number)
    await asyncio.sleep(EVERY)
