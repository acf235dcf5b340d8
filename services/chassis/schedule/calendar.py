"""Working time: which hours count against a limit, from a city's own table of holidays and make-up days."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.chassis.domain.values import Readable
from services.chassis.domain.words import Words

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
"""The calendar covers the days from the first up to, but not including, the last."""

UNMOVED = -1
"""The version of what is no calendar of a city: limits that count by it stay where they are."""

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class Hours(BaseModel):
    """A stretch of the working hours of a day, by the clock on the wall."""

    start: time
    end: time


class Holiday(BaseModel):
    """Days on which nobody works, the first and the last of them."""

    start: date
    end: date
    name: Words


class WorkingTimes(BaseModel):
    """When a city works: its weekdays and hours, and for the years that are known its holidays and make-up days."""

    source: Annotated[str, Field(max_length=500), Readable("where the holidays were published")] = ""
    working_weekdays: Annotated[
        list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7, description="1 is Monday")
    ]
    working_hours: Annotated[list[Hours], Field(min_length=1, max_length=12)]
    covered_from: Annotated[date, Field(description="the first day of which holidays are known")]
    covered_until: Annotated[date, Field(description="the last one")]
    holidays: Annotated[list[Holiday], Field(max_length=1_000)]
    working_days: Annotated[
        list[date], Field(max_length=1_000, description="make-up days: worked on although no weekday of work")
    ]

    def free_days(self) -> Iterator[date]:
        """Every day of every holiday."""
        for span in self.holidays:
            yield from (span.start + _DAY * n for n in range((span.end - span.start).days + 1))

    def named_days(self) -> frozenset[date]:
        """The make-up days, and the edges of the holidays."""
        return frozenset((*self.working_days, *(edge for span in self.holidays for edge in (span.start, span.end))))

    def works(self) -> Iterator[bool]:
        """Of each day from `FIRST` on, whether it is worked on."""
        free, made_up = frozenset(self.free_days()), frozenset(self.working_days)
        for number in range(FIRST.toordinal(), LAST.toordinal()):
            day = date.fromordinal(number)
            yield day in made_up or (day.isoweekday() in self.working_weekdays and day not in free)


class SensibleTimes(WorkingTimes):
    """The same as somebody gives them: what cannot be is refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        # In this order: what comes later takes as long as the days that are covered.
        if not FIRST <= self.covered_from <= self.covered_until < LAST:
            raise _wrong("cover_backwards", "must be covered from an earlier day until a later one, in this century")
        edges = [edge for span in self.working_hours for edge in (span.start, span.end)]
        if any(edge.tzinfo for edge in edges):
            raise _wrong("time_parsing", "must have times without a zone")
        if any(earlier >= later for earlier, later in pairwise(edges)):
            raise _wrong("hours_overlap", "must follow one another within the day: put the hours in order")
        if wrong := sorted(span.start for span in self.holidays if span.start > span.end):
            raise _wrong("holiday_backwards", "has a holiday that ends before it begins, from {day}", wrong[0])
        if outside := sorted(day for day in self.named_days() if not self.covered_from <= day <= self.covered_until):
            raise _wrong("day_uncovered", "names {day}, outside covered_from and covered_until", outside[0])
        spans = sorted(self.holidays, key=lambda span: span.start)
        if twice := [later.start for earlier, later in pairwise(spans) if later.start <= earlier.end]:
            raise _wrong("holidays_overlap", "has two holidays on {day}", twice[0])
        if both := sorted({*self.working_days} & {*self.free_days()}):
            raise _wrong("holiday_worked", "names {day} as a holiday and as a working day", both[0])
        return self


class CityTimes(SensibleTimes):
    """A city's `holidays.json`."""

    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """A city's working time as one continuous line: `add` and `between` look positions up and do not iterate over days.

    Outside the days of the table only weekdays are known (`covers` says so, to warn operators). In a zone with daylight
    saving time, wall-clock hours count.
    """

    zone: ZoneInfo
    spans: tuple[tuple[int, int], ...]
    """The working hours of a day, in microseconds after midnight."""
    days: tuple[int, ...]
    """How many working days are before each day since `FIRST`."""
    covered_from: date
    covered_until: date
    version: int = 0
    """How often the city has set its working times before these and with these."""

    @classmethod
    def of(cls, times: WorkingTimes, zone: ZoneInfo, version: int = 0) -> Self:
        """As these working times have it."""
        return cls(
            zone=zone,
            spans=tuple((_after_midnight(span.start), _after_midnight(span.end)) for span in times.working_hours),
            days=tuple(accumulate(times.works(), initial=0)),
            covered_from=times.covered_from,
            covered_until=times.covered_until,
            version=version,
        )

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read a city's `holidays.json`. Raises pydantic's `ValueError`, which names what is wrong."""
        city = CityTimes.model_validate(data)
        return cls.of(city, city.time_zone)

    def add(self, start: datetime, work: timedelta | float) -> datetime:
        """The earliest instant (UTC) at which this much working time (hours, or a timedelta) has passed since `start`.

        A limit of a full day therefore ends when the office closes, not when it opens again. Adding nothing gives
        `start` itself, even at night. Raises `ValueError` for a negative amount or beyond `LAST`.
        """
        amount = (work if isinstance(work, timedelta) else timedelta(hours=work)) // _MICROSECOND
        if amount < 0:
            raise ValueError("working time can only be added, not taken away")
        return self._instant(self._position(start) + amount) if amount else _aware(start).astimezone(UTC)

    def between(self, a: datetime, b: datetime) -> timedelta:
        """The working time from `a` to `b`; negative if `b` is earlier."""
        return timedelta(microseconds=self._position(b) - self._position(a))

    def is_working(self, at: datetime) -> bool:
        """Whether this instant is in working hours; the moment of closing is not."""
        number, clock = self._local(at)
        return self.days[number] < self.days[number + 1] and any(start <= clock < end for start, end in self.spans)

    def covers(self, at: datetime) -> bool:
        """Whether the table covers this day; otherwise only its weekday is known."""
        return self.covered_from <= _aware(at).astimezone(self.zone).date() <= self.covered_until

    @property
    def working_day(self) -> timedelta:
        """The working time of one day."""
        return timedelta(microseconds=self._day_length)

    @property
    def _day_length(self) -> int:
        return sum(end - start for start, end in self.spans)

    def _local(self, at: datetime) -> tuple[int, int]:
        wall = _aware(at).astimezone(self.zone)
        if not FIRST <= wall.date() < LAST:
            raise ValueError(f"{wall.date()} is outside {FIRST} to {LAST}")
        return wall.toordinal() - FIRST.toordinal(), _after_midnight(wall.time())

    def _position(self, at: datetime) -> int:
        number, clock = self._local(at)
        whole = self.days[number] * self._day_length
        if self.days[number] == self.days[number + 1]:
            return whole
        return whole + sum(min(max(clock - start, 0), end - start) for start, end in self.spans)

    def _instant(self, position: int) -> datetime:
        # The end of a working day and the start of the next have the same position: choose the earlier.
        whole, rest = divmod(position - 1, self._day_length)
        number = bisect_left(self.days, whole + 1) - 1
        if whole >= self.days[-1]:
            raise ValueError(f"the working time ends beyond {LAST}")
        midnight = datetime.combine(FIRST + _DAY * number, time())
        wall = midnight + timedelta(microseconds=self._clock(rest + 1))
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def _clock(self, worked: int) -> int:
        for start, end in self.spans:
            if worked <= end - start:
                return start + worked
            worked -= end - start
        raise AssertionError("more than a day's work in a day")


@dataclass(frozen=True, slots=True)
class RoundTheClock(WorkingCalendar):
    """Every hour counts, at night and on holidays as well; no calendar of the city moves it."""

    @classmethod
    def in_zone(cls, zone: ZoneInfo) -> Self:
        """The zone is for what people read."""
        return cls(zone, spans=(), days=(), covered_from=FIRST, covered_until=LAST, version=UNMOVED)

    def add(self, start: datetime, work: timedelta | float) -> datetime:
        """The instant (UTC) after this many hours, or this timedelta. Raises `ValueError` for a negative amount."""
        amount = work if isinstance(work, timedelta) else timedelta(hours=work)
        if amount < timedelta(0):
            raise ValueError("time can only be added, not taken away")
        return _aware(start).astimezone(UTC) + amount

    def between(self, a: datetime, b: datetime) -> timedelta:
        """The time from `a` to `b`; negative if `b` is earlier."""
        return _aware(b).astimezone(UTC) - _aware(a).astimezone(UTC)

    def is_working(self, at: datetime) -> bool:
        """Always."""
        return True

    def covers(self, at: datetime) -> bool:
        """Always: no holiday moves it."""
        return True


def _wrong(kind: str, sentence: str, day: date | None = None) -> PydanticCustomError:
    return PydanticCustomError(kind, sentence, {"day": day and day.isoformat()})


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at


def _after_midnight(clock: time) -> int:
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond
