"""The working times as each process holds them, and how they are shown."""

from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field

from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.values import Instant
from services.chassis.schedule.calendar import CityTimes, WorkingCalendar, WorkingTimes
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Mongo
from services.chassis.usecase import Context, usecase
from services.requests.calendar.model import ID, Calendar


class CityCalendar:
    """The working times that a process counts by; kept current by what the database tells."""

    def __init__(self, file: CityTimes) -> None:
        """``file``: what the city's data say; it counts until somebody sets something else."""
        self.zone = file.time_zone
        self.calendar = Calendar.of_files(file)
        self.current = WorkingCalendar.of(file, self.zone)
        self._known = {0: self.current}

    async def read(self, mongo: Mongo) -> None:
        """Take in what is stored now. Unavailable."""
        document = await mongo.find_one(Calendar.collection(), {"_id": ID}, {"history": 0})
        if document is not None:
            self.take(load(Calendar, document))

    def take(self, calendar: Calendar) -> None:
        """Count by this one from now on, unless a later one is known."""
        version = calendar.version
        if version > self.calendar.version:
            self.calendar = calendar
            self.current = self._known[version] = WorkingCalendar.of(calendar.times, self.zone, version)

    async def of_version(self, ctx: Context, version: int) -> WorkingCalendar:
        """The one that was set as this version, by its history. Unavailable."""
        if version not in self._known:
            history = await ctx.store.as_system().history(Calendar, ID)
            then = Calendar.fold(ID, history[:version])
            self._known[version] = WorkingCalendar.of(then.times, self.zone, version)
        return self._known[version]


class CalendarView(WorkingTimes):
    """When the city works: limits count these hours only."""

    version: int = Field(description="how often it was set; 0 as the city was set up")
    time_zone: str = Field(examples=["Asia/Shanghai"])
    set_at: Instant | None = Field(description="null as the city was set up")

    @classmethod
    def of(cls, calendar: Calendar, ctx: Context) -> Self:
        """All of it."""
        times = calendar.times
        return cls(
            version=calendar.version,
            time_zone=str(zone(ctx)),
            set_at=calendar.set_at,
            source=times.source,
            working_weekdays=times.working_weekdays,
            working_hours=times.working_hours,
            covered_from=times.covered_from,
            covered_until=times.covered_until,
            holidays=times.holidays,
            working_days=times.working_days,
        )


def city_calendar(ctx: Context) -> CityCalendar:
    """What this process holds."""
    return ctx.dependency(CityCalendar)


def working(ctx: Context) -> WorkingCalendar:
    """The working times that count now."""
    return city_calendar(ctx).current


def zone(ctx: Context) -> ZoneInfo:
    """The city's time zone, in which its days begin."""
    return city_calendar(ctx).zone


@usecase(allow=PUBLIC)
async def get_calendar(ctx: Context) -> Calendar:
    """See when the city works: its weekdays and hours, and the holidays and make-up days that are known."""
    held = city_calendar(ctx)
    await held.read(ctx.container.mongo)
    return held.calendar
