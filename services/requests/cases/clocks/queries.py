"""The calendar by which the limits of a case count."""

from services.chassis.schedule.calendar import WorkingCalendar
from services.chassis.usecase import Context
from services.requests.calendar.queries import city_calendar
from services.requests.cases.clocks import model
from services.requests.cases.model import Case


async def calendar_of(ctx: Context, case: Case) -> WorkingCalendar:
    """The city's working times, by which the limits of an open case count from now on: they are moved if need be.

    Before a step counts by them. Unavailable.
    """
    held, version = city_calendar(ctx), case.calendar_version
    if version is not None and version > held.current.version:
        await held.read(ctx.container.mongo)  # this process has not heard of it yet
    if version is not None and version < held.current.version:
        model.move_limits(case, await held.of_version(ctx, version), held.current, ctx.now())
    return held.current
