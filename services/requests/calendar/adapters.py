"""Keeps the working times of a process current."""

from services.chassis.usecase import Container
from services.requests.calendar.model import Calendar
from services.requests.calendar.queries import CityCalendar

_LOOK_SECONDS = 30.0


async def keep_calendar(container: Container) -> None:
    """Read the working times at the start and whenever they change. Unavailable."""
    calendar: CityCalendar = container.dependencies[CityCalendar]
    async with container.changes.subscribe("version", collections=[Calendar.collection()]) as changes:
        while True:
            named = await changes.wait(_LOOK_SECONDS)
            if named is None or named:  # None: something may have changed unheard
                await calendar.read(container.mongo)
