"""The city's working times are data: set by a command, heard by every process, and open limits follow once."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.domain.values import now
from services.chassis.schedule.calendar import CityTimes, WorkingCalendar
from services.contracts.requests.cases import LimitsMoved, PauseCause
from services.requests.calendar.adapters import keep_calendar
from services.requests.calendar.queries import CityCalendar
from services.requests.cases.clocks import model as clocks
from services.requests.cases.limits import model as limits
from services.requests.cases.limits import timers
from services.requests.cases.model import Case
from tests.conftest import CITY_DATA
from tests.requests.test_life_of_a_case import MONDAY, SECRET, filed
from tests.requests.test_limits import INSTANTS
from tests.requests.town import ADMINISTRATOR, CENTRE, COUNTY, DISPATCHER, RESIDENT, STATION_HANDLER, Town, staff
from tests.requests.working import until

FILE: dict[str, Any] = json.loads((CITY_DATA / "holidays.json").read_text())
TIMES = {name: value for name, value in FILE.items() if name != "time_zone"}


def fresh() -> CityCalendar:
    """What a process holds at its start."""
    return CityCalendar(CityTimes.model_validate(FILE))


def with_holiday(first: date, last: date) -> dict[str, Any]:
    """The city's working times with one more holiday."""
    day = {"start": first.isoformat(), "end": last.isoformat(), "name": {"zh": "长假"}}
    clear = [one for one in TIMES["holidays"] if one["end"] < day["start"]]
    made_up = [one for one in TIMES["working_days"] if one < day["start"]]
    return TIMES | {"covered_until": "2029-12-31", "holidays": [*clear, day], "working_days": made_up}


def closed_soon() -> dict[str, Any]:
    """Nobody works from tomorrow on for three weeks."""
    return with_holiday(now().date() + timedelta(days=1), now().date() + timedelta(days=21))


async def put(town: Town, times: dict[str, Any]) -> dict[str, Any]:
    answer = await town.put(ADMINISTRATOR, "/v1/calendar", times)
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def test_everybody_sees_when_the_city_works_and_its_administrator_sets_it(town: Town) -> None:
    at_first = (await town.get(None, "/v1/calendar")).json()
    assert (at_first["version"], at_first["time_zone"], at_first["set_at"]) == (0, "Asia/Shanghai", None)
    assert [one["start"] for one in at_first["holidays"]] == [one["start"] for one in TIMES["holidays"]]
    assert (await put(town, closed_soon()))["version"] == 1
    after = (await town.get(None, "/v1/calendar")).json()
    assert (after["version"], after["covered_until"], after["holidays"][-1]["name"]["zh"]) == (1, "2029-12-31", "长假")
    assert (await put(town, closed_soon()))["version"] == 1


async def test_only_an_administrator_of_the_whole_city_sets_it(town: Town) -> None:
    refused = await town.put(staff("administrator", COUNTY), "/v1/calendar", TIMES)
    assert (refused.status_code, refused.json()["code"]) == (403, "citywide-only")
    assert (await town.put(DISPATCHER, "/v1/calendar", TIMES)).status_code == 403
    assert (await town.put(RESIDENT, "/v1/calendar", TIMES)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"working_hours": [{"start": "13:00", "end": "12:00"}]}, "工作时段"),
        ({"working_hours": [{"start": "soon", "end": "12:00"}]}, "应为时刻"),
        ({"working_days": ["2026-10-01"]}, "2026-10-01 既是假日又是工作日"),
        ({"working_hours": [{"start": "08:30Z", "end": "12:00"}]}, "应为时刻"),
        ({"working_hours": [{"start": "08:30", "end": "12:00", "pause": 1}]}, "没有"),
        ({"holidays": [{"start": "2026-05-01", "end": "2026-05-05", "name": {"zh": "五"}}] * 2}, "有两个假期"),
        ({"covered_until": "9999-12-31"}, "2000 至 2099"),
        ({"covered_until": "2026-05-01"}, "不在 covered_from 与 covered_until 之间"),
        ({"covered_until": "someday"}, "应为日期"),
        ({"holidays": [{"start": "2026-05-01", "end": "2026-05-02", "name": {"zh": "\u200b"}}]}, "至少要有一个文字"),
        ({"time_zone": "Asia/Shanghai"}, "没有"),
    ],
)
async def test_working_times_that_make_no_sense_are_refused_in_words(
    town: Town, wrong: dict[str, Any], said: str
) -> None:
    refused = await town.put(ADMINISTRATOR, "/v1/calendar", TIMES | wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert said in refused.json()["errors"][0]["problem"]
    assert (await town.get(None, "/v1/calendar")).json()["version"] == 0


async def test_open_limits_follow_once_by_as_many_working_hours_as_were_left(town: Town) -> None:
    filed_before = [await town.file() for _ in range(2)]
    await town.step(STATION_HANDLER, filed_before[1], "accept")
    paused = await town.step(STATION_HANDLER, await town.file(), "accept")
    await town.step(STATION_HANDLER, paused, "pause", {"reason": "等", "because": "parts"})
    over = await town.step(RESIDENT, await town.file(), "cancel", {})
    before = {one["id"]: await town.case(one["id"]) for one in (*filed_before, paused, over)}
    await put(town, closed_soon())
    for _ in range(3):
        await timers.move_limits(town.container)
    for id, case in before.items():
        after, moved = await town.case(id), (await town.events(id)).count("LimitsMoved")
        assert moved == (id != over["id"])
        assert (after.due_at > case.due_at, after.calendar_version) == ((True, 1) if moved else (False, None))
    shown = (await town.get(RESIDENT, f"/v1/requests/{filed_before[0]['id']}")).json()
    assert shown["remaining_hours"] == pytest.approx(filed_before[0]["remaining_hours"], abs=0.1)


async def test_what_the_new_days_do_not_concern_counts_by_them_without_a_word_to_its_resident(town: Town) -> None:
    case = await town.file()
    before = await town.case(case["id"])
    await put(town, with_holiday(date(2028, 1, 3), date(2028, 1, 7)))
    for _ in range(2):
        await timers.move_limits(town.container)
    after = await town.case(case["id"])
    assert (after.calendar_version, after.due_at) == (1, before.due_at)
    assert (await town.events(case["id"])).count("LimitsMoved") == 1
    for actor, seen in ((RESIDENT, False), (STATION_HANDLER, True)):
        entries = (await town.get(actor, f"/v1/requests/{case['id']}/timeline")).json()["items"]
        assert ("LimitsMoved" in {one["what"] for one in entries}) is seen


async def test_a_case_that_fails_does_not_keep_the_others(town: Town) -> None:
    broken, other = await town.file(), await town.file()
    await town.container.mongo.update("cases", {"_id": broken["id"]}, {"$set": {"state.due_at": "never"}})
    await put(town, closed_soon())
    await timers.move_limits(town.container)
    assert (await town.case(other["id"])).calendar_version == 1


async def test_who_is_given_a_case_has_time_by_the_calendar_that_counts_now(town: Town) -> None:
    case = await town.file()
    await put(town, closed_soon())
    await town.step(DISPATCHER, case, "handler", {"organisation_id": CENTRE})
    assert (await town.events(case["id"]))[-2:] == ["LimitsMoved", "CaseDispatched"]
    given = await town.case(case["id"])
    await timers.move_limits(town.container)
    assert (await town.case(case["id"])).respond_by == given.respond_by


async def test_a_limit_by_a_process_that_had_not_heard_yet_follows_with_the_next_look(town: Town) -> None:
    await put(town, closed_soon())
    await timers.move_limits(town.container)
    current = town.hold_calendar(fresh())
    late = await town.file()
    town.hold_calendar(current)
    assert (await town.case(late["id"])).calendar_version == 0
    await timers.move_limits(town.container)
    assert (await town.case(late["id"])).calendar_version == 1


async def test_a_process_that_is_behind_counts_by_what_the_case_was_set_by(town: Town) -> None:
    case = await town.step(STATION_HANDLER, await town.file(), "accept")
    await put(town, closed_soon())
    await timers.move_limits(town.container)
    behind = fresh()
    town.hold_calendar(behind)
    await town.step(STATION_HANDLER, case, "pause", {"reason": "等"})
    assert behind.current.version == 1


async def test_every_process_hears_of_new_working_times(town: Town) -> None:
    other = fresh()

    async def heard() -> bool:
        current: CityCalendar = town.container.dependencies[CityCalendar]
        return other.current.version == current.current.version

    hearing = asyncio.create_task(
        keep_calendar(replace(town.container, dependencies={**town.container.dependencies, CityCalendar: other}))
    )
    try:
        await put(town, closed_soon())
        await until(heard)  # as it begins to listen it looks
        await put(town, closed_soon() | {"source": "another notice"})
        await until(heard)
    finally:
        hearing.cancel()
    assert other.current == town.container.dependencies[CityCalendar].current


async def test_a_limit_in_a_year_without_holidays_says_so_until_the_table_comes(town: Town) -> None:
    yesterday = (now().date() - timedelta(days=1)).isoformat()
    known = [one for one in TIMES["holidays"] if one["end"] < yesterday]
    worked = [one for one in TIMES["working_days"] if one < yesterday]
    await put(town, TIMES | {"covered_until": yesterday, "holidays": known, "working_days": worked})
    case = await town.file()
    assert case["due_certain"] is False
    await put(town, closed_soon())
    assert (await town.get(RESIDENT, f"/v1/requests/{case['id']}")).json()["due_certain"] is True


OLD = WorkingCalendar.from_data(FILE)
SPANS = st.tuples(st.integers(0, 60), st.integers(0, 25)).map(
    lambda span: (MONDAY.date() + timedelta(days=span[0]), MONDAY.date() + timedelta(days=sum(span)))
)


@cache
def newer(span: tuple[date, date]) -> WorkingCalendar:
    """The calendar with one more holiday."""
    return WorkingCalendar.from_data(with_holiday(*span) | {"time_zone": FILE["time_zone"]})


@settings(deadline=None, max_examples=50)  # each makes the days of a century
@given(at=INSTANTS, after=st.timedeltas(timedelta(0), timedelta(days=9)), span=SPANS)
def test_as_much_working_time_as_before_is_left_until_each_limit(
    at: datetime, after: timedelta, span: tuple[date, date]
) -> None:
    case, since, new = filed(at), at + after, newer(span)
    before = case.model_copy()
    case.calendar_version = 0
    clocks.move_limits(case, OLD, replace(new, version=1), since)
    for name in ("respond_by", "warn_at", "due_at"):
        old, moved = getattr(before, name), getattr(case, name)
        assert moved == old if old <= since else new.between(since, moved) == OLD.between(since, old)
    assert all(event.was_due_at == before.due_at for event in case.fresh if isinstance(event, LimitsMoved))


@settings(deadline=None, max_examples=50)
@given(span=SPANS, waits=st.timedeltas(timedelta(hours=1), timedelta(days=9)))
def test_a_case_that_stands_goes_on_with_as_much_time_as_it_had(span: tuple[date, date], waits: timedelta) -> None:
    case, new = filed(MONDAY), replace(newer(span), version=1)
    left = OLD.between(MONDAY, case.due_at)
    limits.pause(case, PauseCause.PARTS, SECRET, OLD, MONDAY, limits.pause_end(case, OLD, MONDAY, None))
    case.calendar_version = 0
    clocks.move_limits(case, OLD, new, MONDAY + waits)
    limits.resume(case, new, MONDAY + waits)
    assert abs(new.between(min(MONDAY + waits, case.due_at), case.due_at) - left) <= timedelta(milliseconds=2)


def test_a_case_that_is_over_has_no_limit_that_could_follow() -> None:
    case = Case.model_validate(filed(MONDAY).model_dump() | {"calendar_version": None})
    clocks.move_limits(case, OLD, replace(newer((date(2026, 11, 24), date(2026, 12, 4))), version=1), datetime.now(UTC))
    assert case.fresh == []


@settings(deadline=None, max_examples=50)
@given(span=SPANS, day=st.integers(0, 40), after=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_whenever_it_is_looked_at_a_second_time_nothing_moves(
    span: tuple[date, date], day: int, after: timedelta
) -> None:
    case, new = filed(MONDAY), replace(newer(span), version=1)
    clocks.move_limits(case, OLD, new, MONDAY + timedelta(days=day))
    once = case.model_copy()
    clocks.move_limits(case, new, new, MONDAY + timedelta(days=day) + after)
    assert (case.respond_by, case.warn_at, case.due_at) == (once.respond_by, once.warn_at, once.due_at)
