"""Working time: limits count office hours only, over nights, holidays, make-up days, month and year ends."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.schedule.calendar import WorkingCalendar
from tests.support.work import lines_run

CITY: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "deploy/cities/hulunbuir/holidays.json").read_text(encoding="utf-8")
)
CALENDAR = WorkingCalendar.from_data(CITY)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING = timedelta(0)

BEGIN = datetime(2024, 11, 1, tzinfo=SHANGHAI)
"""Before the table begins; the instants drawn go on to more than a year after its end."""

instants = st.timedeltas(NOTHING, timedelta(days=1200)).map(lambda passed: BEGIN + passed)
works = st.timedeltas(NOTHING, timedelta(hours=400))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@given(instants, works)
def test_what_is_added_lies_between(start: datetime, work: timedelta) -> None:
    assert CALENDAR.between(start, CALENDAR.add(start, work)) == work


@given(instants, works, works)
def test_adding_in_two_parts_comes_to_the_same(start: datetime, first: timedelta, second: timedelta) -> None:
    assert CALENDAR.add(CALENDAR.add(start, first), second) == CALENDAR.add(start, first + second)


@given(instants, instants, works, works)
def test_later_starts_and_longer_works_end_no_earlier(
    a: datetime, b: datetime, short: timedelta, long: timedelta
) -> None:
    (a, b), (short, long) = sorted((a, b)), sorted((short, long))
    assert CALENDAR.add(a, short) <= CALENDAR.add(b, short)
    assert CALENDAR.add(a, short) <= CALENDAR.add(a, long)


@given(instants, instants, instants)
def test_between_is_additive_and_turns_with_its_ends(a: datetime, b: datetime, c: datetime) -> None:
    assert CALENDAR.between(a, b) + CALENDAR.between(b, c) == CALENDAR.between(a, c)
    assert CALENDAR.between(a, b) == -CALENDAR.between(b, a)


@given(instants, st.timedeltas(timedelta(microseconds=1), timedelta(hours=400)))
def test_the_end_is_the_earliest_such_instant(start: datetime, work: timedelta) -> None:
    end = CALENDAR.add(start, work)
    assert CALENDAR.is_working(end - timedelta(microseconds=1))


@given(instants)
def test_nothing_added_is_the_start_itself(start: datetime) -> None:
    assert CALENDAR.add(start, 0) == start
    assert CALENDAR.add(start, 0).tzinfo is UTC


@given(instants, st.timedeltas(NOTHING, timedelta(days=20)))
def test_between_counts_what_a_walk_over_quarter_hours_counts(start: datetime, span: timedelta) -> None:
    quarter = timedelta(minutes=15)
    start = start.replace(minute=0, second=0, microsecond=0)
    steps = span // quarter
    walked = sum(CALENDAR.is_working(start + quarter * step) for step in range(steps))
    assert CALENDAR.between(start, start + quarter * steps) == quarter * walked


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23T09:00", 8, "2026-11-24T09:00"),
        ("2026-11-23T08:30", 8, "2026-11-23T18:00"),
        ("2026-11-23T08:30", 3.5, "2026-11-23T12:00"),
        ("2026-11-23T12:15", 0.5, "2026-11-23T14:00"),
        ("2026-11-23T22:00", 2, "2026-11-24T10:30"),
        ("2026-11-27T17:00", 2, "2026-11-30T09:30"),
        ("2026-12-31T17:30", 1, "2027-01-01T09:00"),
        ("2025-12-31T17:30", 1, "2026-01-04T09:00"),
        ("2026-09-30T17:00", 24, "2026-10-10T17:00"),
        ("2026-02-14T17:00", 2, "2026-02-24T09:30"),
    ],
    ids=[
        "a day later at the same hour",
        "a full day ends at closing",
        "a morning ends at noon",
        "from the noon break",
        "from the night",
        "over a weekend",
        "over a year's end that is not covered",
        "New Year with its make-up Sunday",
        "National Day with its make-up Saturday",
        "from a make-up Saturday over Spring Festival",
    ],
)
def test_limits_end_when_people_would_say(start: str, hours: float, end: str) -> None:
    assert CALENDAR.add(local(start), hours) == local(end)


@pytest.mark.parametrize(
    "at", ["2026-11-23T08:30", "2026-11-23T13:30", "2026-11-23T17:59:59", "2026-10-10T10:00", "2026-02-28T10:00"]
)
def test_office_hours_of_working_and_make_up_days_count(at: str) -> None:
    assert CALENDAR.is_working(local(at))


@pytest.mark.parametrize(
    "at", ["2026-11-23T08:29:59", "2026-11-23T12:00", "2026-11-23T18:00", "2026-11-28T10:00", "2026-10-07T10:00"]
)
def test_nights_noons_weekends_and_holidays_do_not_count(at: str) -> None:
    assert not CALENDAR.is_working(local(at))


def test_the_working_day_has_eight_hours() -> None:
    assert CALENDAR.working_day == timedelta(hours=8)


@pytest.mark.parametrize(("year", "days"), [(2025, 248), (2026, 248)])
def test_a_year_has_the_official_number_of_working_days(year: int, days: int) -> None:
    assert CALENDAR.between(local(f"{year}-01-01"), local(f"{year + 1}-01-01")) == days * CALENDAR.working_day


def test_beyond_the_table_only_weekends_are_free_and_that_can_be_seen() -> None:
    assert CALENDAR.covered_until == date(2026, 12, 31)
    assert CALENDAR.covers(local("2026-12-31T23:59"))
    assert not CALENDAR.covers(local("2027-01-01T00:00"))
    assert CALENDAR.is_working(local("2027-10-01T10:00"))
    assert not CALENDAR.is_working(local("2027-10-02T10:00"))


def test_any_zone_may_ask_and_answers_are_in_utc() -> None:
    start = local("2026-11-23T09:00")
    assert CALENDAR.add(start.astimezone(ZoneInfo("America/New_York")), 1) == local("2026-11-23T10:00")
    assert CALENDAR.add(start, 1).tzinfo is UTC


def test_where_clocks_change_a_day_still_has_its_office_hours() -> None:
    berlin = WorkingCalendar.from_data(CITY | {"time_zone": "Europe/Berlin", "holidays": [], "working_days": []})
    zone = ZoneInfo("Europe/Berlin")
    friday, monday = datetime(2026, 3, 27, 9, tzinfo=zone), datetime(2026, 3, 30, 9, tzinfo=zone)
    assert berlin.between(friday, monday) == timedelta(hours=8)
    assert berlin.add(friday, 8) == monday


def test_what_has_no_zone_is_refused() -> None:
    naive = datetime(2026, 11, 23)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.add(naive, 1)
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.is_working(naive)


def test_taking_time_away_is_refused() -> None:
    with pytest.raises(ValueError, match="only be added"):
        CALENDAR.add(local("2026-11-23T09:00"), -1)


def test_beyond_its_days_a_calendar_gives_no_answer() -> None:
    with pytest.raises(ValueError, match="outside"):
        CALENDAR.is_working(datetime(1999, 12, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="beyond"):
        CALENDAR.add(datetime(2099, 12, 30, tzinfo=UTC), 100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"working_hours": [{"start": "13:30", "end": "18:00"}, {"start": "08:30", "end": "12:00"}]}, "in order"),
        ({"working_hours": [{"start": "08:30", "end": "12:00"}, {"start": "11:00", "end": "18:00"}]}, "overlap"),
        ({"working_hours": []}, "working_hours"),
        ({"working_weekdays": [0]}, "working_weekdays"),
        ({"holidays": [{"start": "2026-05-05", "end": "2026-05-01", "name": {"zh": "x"}}]}, "ends before it begins"),
        ({"working_days": ["2026-10-01"]}, "as a holiday and as a working day"),
        ({"working_days": ["2031-10-01"]}, "outside covered_from"),
        ({"covered_until": "2020-01-01", "holidays": [], "working_days": []}, "from an earlier day until a later one"),
        ({"time_zone": "Asia/Hailar"}, "time_zone"),
        ({"holidayz": []}, "holidayz"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WorkingCalendar.from_data(CITY | wrong)


def test_ten_years_cost_no_more_work_than_a_day() -> None:
    start = local("2026-01-05T09:00")
    day, decade = (lines_run(partial(CALENDAR.add, start, hours)) for hours in (8, 8 * 250 * 10))
    assert 0 < decade <= day + 5
