"""The calendar by which the limits of a case count."""

from services.chassis.schedule.calendar import RoundTheClock, WorkingCalendar
from services.chassis.usecase import Context
from services.requests.calendar.queries import city_calendar, working, zone
from services.requests.cases.clocks import model
from services.requests.cases.model import Case


def times_of(ctx: Context, case: Case) -> WorkingCalendar:
    """By what the limits of a case count that are set now: the clock where somebody is in danger."""
    return RoundTheClock.in_zone(zone(ctx)) if case.is_danger else working(ctx)


async def calendar_of(ctx: Context, case: Case) -> WorkingCalendar:
    """The city's working times, by which the limits of an open case count from now on: they are moved if need be.

    Before a step counts by them. Unavailable. Those of a case of danger run on the clock, and never move.
    """
    if case.is_danger:
        return times_of(ctx, case)
    held, version = city_calendar(ctx), case.calendar_version
    if version is not None and version > held.current.version:
        await held.read(ctx.container.mongo)  # this process has not heard of it yet
    if version is not None and version < held.current.version:
        model.move_limits(case, await held.of_version(ctx, version), held.current, ctx.now())
    return held.current
