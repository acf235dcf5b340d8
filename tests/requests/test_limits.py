"""Limits: on working time, from filing on; an unresolved case escalates to the top, oldest first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.words import Words
from services.chassis.schedule import timers
from services.contracts.members.organisations import OrganisationFounded
from services.requests.cases.dispatch.commands import AssignHandler, assign_handler
from services.requests.cases.intake.commands import ReopenCase, reopen
from services.requests.cases.limits import model as limits
from services.requests.cases.limits.commands import ReturnCase, return_case
from services.requests.cases.limits.timers import case_clock
from services.requests.cases.model import REOPENABLE, Case
from services.requests.cases.states.model import State
from services.requests.cases.steps.commands import ResolveCase, accept, resolve
from services.requests.providers.model import Organisation
from tests.requests.test_life_of_a_case import CALENDAR, MONDAY, RUNGS, filed
from tests.requests.town import (
    CENTRE,
    CENTRE_HANDLER,
    CITY,
    CITY_OFFICE,
    COUNTY,
    COUNTY_OFFICE,
    DISPATCHER,
    ELSEWHERE,
    HOME,
    RESIDENT,
    STATION,
    STATION_HANDLER,
    STREET,
    Town,
)

INSTANTS = st.timedeltas(timedelta(0), timedelta(days=500)).map(lambda after: datetime(2025, 6, 1, tzinfo=UTC) + after)
HOURS = st.sampled_from([2, 4, 8, 24, 56, 120])


async def sweep(town: Town, at: datetime) -> None:
    """Let the timer run as at this instant."""
    await timers.sweep(case_clock, replace(town.container, clock=lambda: at))


async def swept(town: Town, id: str) -> Case:
    """The case after the timer has run at its next time."""
    case = await town.case(id)
    assert case.next_tick_at is not None
    await sweep(town, case.next_tick_at)
    return await town.case(id)


async def escalated(town: Town, id: str, *, most: int = 12) -> list[tuple[int, str | None, str | None]]:
    """(level, owner, place) after each escalation, until nothing more is due."""
    levels: list[tuple[int, str | None, str | None]] = []
    for _ in range(most):
        if (await town.case(id)).next_tick_at is None:
            break
        case = await swept(town, id)
        if case.level > (levels[-1][0] if levels else 0):
            levels.append((case.level, case.owner_id, case.owner_place))
    return levels


TO_THE_TOP = [(1, CENTRE, STREET), (2, COUNTY_OFFICE, COUNTY), (3, CITY_OFFICE, CITY)]


@given(at=INSTANTS, first=HOURS, whole=HOURS)
def test_limits_are_working_time_from_filing(at: datetime, first: int, whole: int) -> None:
    case = filed(at, first_response_hours=first, resolution_hours=whole)
    spent = {limit: CALENDAR.between(at, limit) for limit in (case.respond_by, case.warn_at, case.due_at)}
    hour = timedelta(hours=1)
    wanted = {case.respond_by: first * hour, case.warn_at: 0.8 * whole * hour, case.due_at: whole * hour}
    for limit, work in wanted.items():
        assert abs(spent[limit] - work) <= timedelta(milliseconds=1)


async def test_a_warning_comes_when_four_fifths_are_over_then_it_is_overdue(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    assert (await swept(town, filed["id"])).warned
    late = await swept(town, filed["id"])
    assert late.overdue
    assert (await town.events(filed["id"]))[-3:] == ["CaseWarned", "CaseOverdue", "CaseEscalated"]


async def test_a_case_that_nobody_accepts_escalates_level_by_level_to_the_top(town: Town) -> None:
    """DIGIT's second: one escalation took its case out of the scan, so it never passed the first level."""
    filed = await town.file()
    case = await town.case(filed["id"])
    assert (case.handler_id, case.next_tick_at) == (STATION, case.respond_by)
    assert await escalated(town, filed["id"]) == TO_THE_TOP


async def test_a_case_that_nobody_has_escalates_too(town: Town) -> None:
    """DIGIT's third: an unassigned complaint never escalates."""
    await town.container.mongo.command("delete", "copies_organisation", deletes=[{"q": {"_id": STATION}, "limit": 1}])
    await town.container.mongo.command("delete", "copies_organisation", deletes=[{"q": {"_id": CENTRE}, "limit": 1}])
    filed = await town.file(item="WATCH")
    assert (filed["handler"], filed["state"]) == (None, "new")
    case = await town.case(filed["id"])
    assert case.next_tick_at == case.respond_by
    assert await escalated(town, filed["id"]) == [(1, None, STREET), *TO_THE_TOP[1:]]


async def test_an_overdue_case_escalates_although_it_was_accepted(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "start")
    assert await escalated(town, filed["id"]) == TO_THE_TOP


async def test_without_a_supervisor_the_level_counts_and_the_gap_is_recorded(town: Town) -> None:
    """DIGIT's sixth: no supervisor found, and nobody notified."""
    filed = await town.file(area=ELSEWHERE)
    levels = await escalated(town, filed["id"])
    assert levels == [(1, None, ELSEWHERE[:9]), (2, None, ELSEWHERE[:6]), (3, CITY_OFFICE, CITY)]
    assert (await town.events(filed["id"])).count("CaseEscalated") == 3


async def test_the_oldest_are_served_first_and_none_is_left_out(town: Town) -> None:
    """DIGIT's first: only the newest hundred are looked at, so the oldest are never seen."""
    first = await town.file()
    for _ in range(104):
        await town.file()
    case = await town.case(first["id"])
    later = case.respond_by + timedelta(minutes=10)
    await sweep(town, later)
    assert (await town.case(first["id"])).level == 1
    await sweep(town, later)
    assert await town.container.mongo.count("cases", {"state.level": 1}, 200) == 105


async def test_a_comment_resets_no_clock(town: Town) -> None:
    """DIGIT's fourth: the clock is the last change, and a resident's own words restart it."""
    filed = await town.file()
    before = await town.case(filed["id"])
    await town.step(RESIDENT, filed, "comment", {"text": "还没有人来。"})
    await town.step(RESIDENT, filed, "urge")
    after = await town.case(filed["id"])
    assert (after.respond_by, after.due_at, after.next_tick_at) == (
        before.respond_by,
        before.due_at,
        before.next_tick_at,
    )


async def test_each_case_escalates_in_its_own_place_only(town: Town) -> None:
    """DIGIT's fifth: one tenant's configuration is applied to all."""
    here, there = await town.file(), await town.file(area=ELSEWHERE)
    await sweep(town, (await town.case(there["id"])).respond_by)
    assert (await town.case(here["id"])).owner_place == STREET
    assert (await town.case(there["id"])).owner_place == ELSEWHERE[:9]


def test_nights_and_holidays_count_for_nothing() -> None:
    """DIGIT's seventh: wall clock only."""
    eve = datetime(2026, 9, 30, 9, 30, tzinfo=UTC)  # half an hour before the office closes for a week
    case = filed(eve, first_response_hours=1, resolution_hours=2)
    assert case.respond_by == datetime(2026, 10, 8, 1, 0, tzinfo=UTC)


async def test_a_resolved_case_is_closed_when_it_can_no_longer_be_reopened(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "resolve", {"answer": "已修好。"})
    resolved = await town.case(filed["id"])
    assert resolved.resolved_at is not None
    assert resolved.next_tick_at == resolved.resolved_at + REOPENABLE
    closed = await swept(town, filed["id"])
    assert (closed.state, closed.closed_because, closed.next_tick_at) == (State.CLOSED, "fixed", None)


async def test_a_reopened_case_escalates_from_below_again(town: Town) -> None:
    filed = await town.file()
    assert await escalated(town, filed["id"]) == TO_THE_TOP
    # After all escalations: if time ran backwards, an instant of an earlier escalation would come again.
    later = (await town.case(filed["id"])).due_at + timedelta(days=60)
    await accept(town.context(STATION_HANDLER, later), filed["id"])
    await resolve(town.context(STATION_HANDLER, later), filed["id"], ResolveCase(answer="已修好。"))
    await reopen(town.context(RESIDENT, later), filed["id"], ReopenCase(reason="又坏了"))
    case = await town.case(filed["id"])
    assert (case.level, case.owner_id, case.owner_place, case.next_tick_at) == (0, None, None, case.respond_by)
    # The centre has it now: the next owner is above the centre.
    assert await escalated(town, filed["id"]) == [(1, COUNTY_OFFICE, COUNTY), (2, CITY_OFFICE, CITY)]


async def test_where_no_city_office_supervises_the_hotline_answers_for_the_city(town: Town) -> None:
    await town.container.mongo.command(
        "delete", "copies_organisation", deletes=[{"q": {"_id": CITY_OFFICE}, "limit": 1}]
    )
    hotline = OrganisationFounded(kind="hotline", name=Words.named("便民服务热线中心"), area=CITY)
    await town.keep_copy(Organisation, "organisation_hotline", hotline)
    filed = await town.file()
    assert (await escalated(town, filed["id"]))[-1] == (3, "organisation_hotline", CITY)


async def test_anyone_who_gets_a_case_again_has_time_to_answer_but_the_case_is_due_no_later(town: Town) -> None:
    filed = await town.file()
    before = await town.case(filed["id"])
    late = before.due_at - timedelta(minutes=30)
    dispatcher = town.context(DISPATCHER, late)
    await assign_handler(dispatcher, filed["id"], AssignHandler(organisation_id=CENTRE))
    case = await town.case(filed["id"])
    assert (case.respond_by, case.due_at, case.warn_at) == (before.due_at, before.due_at, before.warn_at)
    await return_case(town.context(CENTRE_HANDLER, late), filed["id"], ReturnCase(reason="不归我们"))
    assert (await town.case(filed["id"])).respond_by == before.due_at


@given(at=INSTANTS)
def test_each_level_has_its_working_hours_before_the_next(at: datetime) -> None:
    case = filed(at, first_response_hours=1, resolution_hours=500)
    rests = []
    for _ in range(3):
        climbs = case.escalates_at
        assert climbs is not None
        limits.tick(case, RUNGS, CALENDAR, climbs)
        rests.append(CALENDAR.between(climbs, case.escalates_at).total_seconds() / 3600 if case.escalates_at else None)
    assert [rest and round(rest, 3) for rest in rests] == [8, 16, None]


def test_a_worker_that_was_down_catches_up_one_level_at_a_time() -> None:
    case, late = filed(MONDAY), MONDAY + timedelta(days=30)
    levels = []
    for _ in range(3):
        limits.tick(case, RUNGS, CALENDAR, late)
        levels.append(case.level)
        late = case.next_tick_at or late
    assert levels == [1, 2, 3]
    assert case.owner_place == HOME[:4]
