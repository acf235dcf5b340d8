"""Keeps the working times of a process current."""

from services.chassis.usecase import Container
from services.requests.calendar.model import Calendar
from services.requests.calendar.queries import CityCalendar

_LOOK_SECONDS = 30.0
"""How often it looks without a cause: a change that the database does not tell of is delayed by this."""


async def keep_calendar(container: Container) -> None:
    """Read the working times at the start and whenever they change. Unavailable."""
    calendar: CityCalendar = container.dependencies[CityCalendar]
    async with container.changes.subscribe("version", collections=[Calendar.collection()]) as changes:
        while True:
            await calendar.read(container.mongo)
            await changes.wait(_LOOK_SECONDS)
