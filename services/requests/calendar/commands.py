"""Setting the city's working times."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from services.chassis.domain.words import GivenName
from services.chassis.domain.writing import LEGIBLE
from services.chassis.schedule.calendar import Holiday, Hours, SensibleTimes, WorkingTimes
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.roles import Role
from services.contracts.requests.calendar import CalendarSet
from services.requests.calendar import model
from services.requests.calendar.model import Calendar
from services.requests.calendar.queries import city_calendar
from services.requests.providers.model import expect_citywide


class GivenHours(Hours):
    """A stretch of the working hours of a day."""

    model_config = ConfigDict(extra="forbid")


class GivenHoliday(Holiday):
    """Days on which nobody works, with their name."""

    model_config = ConfigDict(extra="forbid")

    name: GivenName  # type: ignore[assignment]  # words as a request gives them


class SetCalendar(SensibleTimes, Command):
    """When the city works, all of it: what is not named is forgotten."""

    source: Annotated[str, Field(max_length=500, description="who published them; read by everybody"), LEGIBLE]
    working_hours: Annotated[list[GivenHours], Field(min_length=1, max_length=12)]  # type: ignore[assignment]
    holidays: Annotated[list[GivenHoliday], Field(max_length=1_000)]  # type: ignore[assignment]


async def _whole_city(ctx: Context, _: Calendar, __: Any) -> None:
    """The working times are the whole city's."""
    expect_citywide(ctx.actor)


@usecase(allow=Role.ADMINISTRATOR, within=_whole_city)
async def set_calendar(ctx: Context, cmd: SetCalendar) -> Calendar:
    """Set when the city works, for example as the holidays of another year are published; open limits follow."""
    async with ctx.store.change_or_create(Calendar, model.ID) as calendar:
        times = WorkingTimes.model_validate(cmd.model_dump(exclude_none=True))
        model.set_times(calendar, CalendarSet(times=times, set_at=ctx.now()))
    city_calendar(ctx).take(calendar)
    return calendar
