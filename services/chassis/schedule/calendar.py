"""Working time: which hours count against a limit, from a city's own table of holidays and make-up days."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
"""The calendar covers the days from the first up to, but not including, the last."""

_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


class _Hours(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Annotated[time, Field(alias="from")]
    end: Annotated[time, Field(alias="to")]


class _Holiday(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    name: dict[str, str]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = ""
    time_zone: ZoneInfo
    working_weekdays: frozenset[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1)
    working_hours: tuple[_Hours, ...] = Field(min_length=1)
    covered_from: date
    covered_until: date
    holidays: tuple[_Holiday, ...]
    working_days: frozenset[date]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        edges = [edge for span in self.working_hours for edge in (span.start, span.end)]
        if any(earlier >= later for earlier, later in pairwise(edges)):
            raise ValueError("working_hours must follow one another within the day: put them in order, without overlap")
        if wrong := sorted(span.start for span in self.holidays if span.start > span.end):
            raise ValueError(f"the holiday from {wrong[0]} ends before it begins: correct its dates")
        if both := sorted(self.working_days & set(self.free_days())):
            raise ValueError(f"{both[0]} is a holiday and a working day: take it out of one of them")
        if outside := sorted(day for day in self.named_days() if not self.covered_from <= day <= self.covered_until):
            raise ValueError(f"{outside[0]} lies outside covered_from and covered_until: correct it or widen them")
        if not FIRST <= self.covered_from <= self.covered_until < LAST:
            raise ValueError(f"covered_from and covered_until must follow one another between {FIRST} and {LAST}")
        return self

    def free_days(self) -> Iterator[date]:
        for span in self.holidays:
            yield from (span.start + _DAY * n for n in range((span.end - span.start).days + 1))

    def named_days(self) -> frozenset[date]:
        return self.working_days | {edge for span in self.holidays for edge in (span.start, span.end)}

    def works(self) -> Iterator[bool]:
        free, made_up = frozenset(self.free_days()), self.working_days
        for number in range(FIRST.toordinal(), LAST.toordinal()):
            day = date.fromordinal(number)
            yield day in made_up or (day.isoweekday() in self.working_weekdays and day not in free)


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

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read a city's `holidays.json`. Raises pydantic's `ValueError`, which names what is wrong."""
        table = _Table.model_validate(data)
        return cls(
            zone=table.time_zone,
            spans=tuple((_after_midnight(span.start), _after_midnight(span.end)) for span in table.working_hours),
            days=tuple(accumulate(table.works(), initial=0)),
            covered_from=table.covered_from,
            covered_until=table.covered_until,
        )

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


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return at


def _after_midnight(clock: time) -> int:
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * 1_000_000 + clock.microsecond
