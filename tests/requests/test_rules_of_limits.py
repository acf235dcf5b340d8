"""Limits: to which level a case climbs, when, why, and what a tick lets happen."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.requests.cases.limits import model as limits
from services.requests.cases.limits.model import PauseUnfit
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.providers.model import escalation_path
from tests.requests.test_life_of_a_case import CALENDAR, MONDAY, RUNGS, SECRET, filed, known
from tests.requests.test_pauses import taken
from tests.requests.test_rules_of_a_case import RESOLVED
from tests.requests.town import CENTRE, CITY, CITY_OFFICE, COUNTY, COUNTY_OFFICE, DEPARTMENT, HOME, STATION, STREET

HOUR = timedelta(hours=1)


def given(tier: str, handler: str, **more: Any) -> Case:
    """A case that somebody has."""
    case = filed(MONDAY, **more)
    case.record(contract.CaseDispatched(tier=tier, handler_id=handler, handler_name=Words.named("站")))
    return case


def news(case: Case, at: Any) -> list[Event]:
    """What a tick at this instant lets happen."""
    case.fresh.clear()
    limits.tick(case, RUNGS, CALENDAR, at)
    return case.fresh


def test_the_limits_of_a_case_are_these_parts_of_its_hours() -> None:
    case = filed(MONDAY, first_response_hours=2, resolution_hours=10)
    assert case.fresh[-1] == contract.LimitsSet(
        respond_by=CALENDAR.add(MONDAY, 2), warn_at=CALENDAR.add(MONDAY, 8), due_at=CALENDAR.add(MONDAY, 10)
    )


def test_a_pause_ends_after_now_and_not_later_than_the_case_may_stand() -> None:
    case = taken()
    latest = CALENDAR.add(MONDAY, 80)
    assert limits.pause_end(case, CALENDAR, MONDAY, None) == latest
    for until in (MONDAY + timedelta(seconds=1), latest):
        assert limits.pause_end(case, CALENDAR, MONDAY, until) == until
    for until in (MONDAY - HOUR, MONDAY, latest + timedelta(seconds=1)):
        with pytest.raises(PauseUnfit) as refused:
            limits.pause_end(case, CALENDAR, MONDAY, until)
        result = latest.astimezone(CALENDAR.zone).isoformat(timespec="minutes")
        assert (refused.value.params, refused.value.kind) == ({"latest": result}, Kind.INVALID)
    case.paused_hours = 70.0
    assert limits.pause_end(case, CALENDAR, MONDAY, None) == CALENDAR.add(MONDAY, 10)


def test_a_pause_says_why_since_when_until_when_and_by_when_the_case_is_due_then() -> None:
    case = taken()
    later = CALENDAR.add(case.due_at, 1)
    limits.pause(case, contract.PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, MONDAY + HOUR)
    assert case.fresh[-1] == contract.CasePaused(
        handler_id=STATION, because="weather", reason=SECRET, paused_at=MONDAY, until=MONDAY + HOUR, due_at=later
    )
    assert case.due_at == later


def test_going_on_moves_every_mark_by_the_working_time_that_it_stood() -> None:
    case = taken()
    case.escalates_from = MONDAY + HOUR
    marks = (case.respond_by, case.warn_at, case.due_at, case.escalates_from)
    limits.pause(case, contract.PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, MONDAY + 9 * HOUR)
    limits.resume(case, CALENDAR, MONDAY + HOUR / 2)
    respond_by, warn_at, due_at, next_at = (CALENDAR.add(mark, 0.5) for mark in marks)
    assert case.fresh[-1] == contract.CaseResumed(
        handler_id=STATION, respond_by=respond_by, warn_at=warn_at, due_at=due_at, next_at=next_at, paused_hours=0.5
    )


def test_a_pause_ends_at_its_end_also_if_its_timer_is_late() -> None:
    case = taken()
    due_at = case.due_at
    limits.pause(case, contract.PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, MONDAY + HOUR)
    limits.resume(case, CALENDAR, MONDAY + 30 * HOUR)
    assert (case.paused_hours, case.due_at) == (1.0, CALENDAR.add(due_at, 1))


def test_without_a_rest_there_is_none_to_move_nor_time_without_a_pause() -> None:
    case = taken()
    limits.resume(case, CALENDAR, MONDAY + HOUR)
    assert case.fresh[-1] == contract.CaseResumed(
        handler_id=STATION,
        respond_by=case.respond_by,
        warn_at=case.warn_at,
        due_at=case.due_at,
        next_at=None,
        paused_hours=0,
    )


def test_haste_is_counted_with_who_asked_for_it() -> None:
    case = taken()
    limits.urge(case, MONDAY, by_resident=True)
    limits.urge(case, MONDAY + HOUR, by_resident=False)
    assert case.fresh[-2:] == [
        contract.CaseUrged(handler_id=STATION, times=1, urged_at=MONDAY, by_resident=True),
        contract.CaseUrged(handler_id=STATION, times=2, urged_at=MONDAY + HOUR, by_resident=False),
    ]


def test_a_case_that_comes_back_twice_is_the_countys_supervisors() -> None:
    case = given("station", STATION)
    limits.send_back(case, SECRET, RUNGS, CALENDAR, MONDAY)
    again_by = CALENDAR.add(MONDAY, 4)
    left = {"from_id": STATION, "from_tier": "station", "from_announced": True}
    assert case.fresh[-1] == contract.CaseReturned(reason=SECRET, times=1, respond_by=again_by, **left)
    limits.send_back(case, SECRET, RUNGS, CALENDAR, MONDAY)
    assert case.fresh[-2:] == [
        contract.CaseReturned(reason=SECRET, times=2, respond_by=again_by),
        contract.CaseEscalated(
            level=1,
            owner_id=COUNTY_OFFICE,
            owner_place=COUNTY,
            because="returned",
            next_at=CALENDAR.add(MONDAY, 8),
        ),
    ]


@pytest.mark.parametrize(("owner_place", "climbs"), [(None, True), (STREET, True), (COUNTY, False), (CITY, False)])
def test_what_the_county_or_the_city_answers_for_already_does_not_escalate_by_returns(
    owner_place: str | None, *, climbs: bool
) -> None:
    case = given("station", STATION)
    case.returns, case.owner_place = 1, owner_place
    limits.send_back(case, SECRET, RUNGS, CALENDAR, MONDAY)
    assert isinstance(case.fresh[-1], contract.CaseEscalated) == climbs


WHERE = [
    (given("station", STATION), 0),
    (given("team", "team_1"), 0),
    (given("centre", "organisation_of_another_path"), 1),
    (given("county", DEPARTMENT), 1),
    (given("supervision", "organisation_of_another_path"), 1),
    (given("station", CENTRE), 1),
    (given("centre", CENTRE), 1),
    (given("supervision", COUNTY_OFFICE), 2),
    (given("supervision", CITY_OFFICE), 2),
    (filed(MONDAY), 0),
]


@pytest.mark.parametrize(("case", "level"), WHERE)
def test_a_case_escalates_to_the_lowest_level_above_everybody_who_has_it(case: Case, level: int) -> None:
    copy = Case.model_validate(case.model_dump())
    (climbed,) = [event for event in news(copy, copy.due_at) if isinstance(event, contract.CaseEscalated)]
    place, office = [(STREET, CENTRE), (COUNTY, COUNTY_OFFICE), (CITY, CITY_OFFICE)][level]
    assert (climbed.level, climbed.owner_place, climbed.owner_id) == (1, place, office)


@pytest.mark.parametrize(("owner_place", "next_place"), [(STREET, COUNTY), (COUNTY, CITY)])
def test_a_case_escalates_above_who_answers_for_it(owner_place: str, next_place: str) -> None:
    case = given("station", STATION)
    case.owner_place = owner_place
    (climbed,) = [event for event in news(case, case.due_at) if isinstance(event, contract.CaseEscalated)]
    assert climbed.owner_place == next_place


def test_rests_are_a_day_then_two_and_at_the_top_there_is_no_more() -> None:
    case = given("station", STATION)
    climbs = list[contract.CaseEscalated]()
    while case.next_tick_at is not None:
        at = case.next_tick_at
        climbs += [event for event in news(case, at) if isinstance(event, contract.CaseEscalated)]
        if climbs and case.fresh[-1:] == climbs[-1:]:
            rest = {1: 8, 2: 16}.get(case.level)
            assert climbs[-1].next_at == (CALENDAR.add(at, rest) if rest else None)
    assert [(one.level, one.owner_place) for one in climbs] == [(1, STREET), (2, COUNTY), (3, CITY)]


def test_from_the_third_level_on_every_rest_is_two_days() -> None:
    case = given("station", STATION)
    case.level = 5
    (climbed,) = [event for event in news(case, case.due_at) if isinstance(event, contract.CaseEscalated)]
    assert (climbed.level, climbed.next_at) == (6, CALENDAR.add(case.due_at, 16))


def test_a_level_that_nobody_answers_for_has_no_owner() -> None:
    case = given("station", STATION)
    limits.tick(case, escalation_path(HOME, (), [known(CITY_OFFICE)]), CALENDAR, case.respond_by)
    climbed = case.fresh[-1]
    assert isinstance(climbed, contract.CaseEscalated)
    assert (climbed.owner_id, climbed.owner_place) == (None, STREET)


def test_why_it_escalates_is_recorded() -> None:
    because = []
    for case in (filed(MONDAY), given("station", STATION), taken()):
        (climbed,) = [
            event
            for event in news(case, case.due_at if case.responded else case.respond_by)
            if isinstance(event, contract.CaseEscalated)
        ]
        because.append(climbed.because)
    assert because == ["unassigned", "unaccepted", "overdue"]


def test_a_tick_before_its_time_changes_nothing() -> None:
    case = taken()
    assert news(case, case.warn_at - timedelta(milliseconds=1)) == []
    case.next_tick_at = None
    assert news(case, case.due_at) == []


def test_a_case_is_warned_then_overdue_and_each_once() -> None:
    case = taken()
    assert news(case, case.warn_at) == [contract.CaseWarned(handler_id=STATION, due_at=case.due_at)]
    late, climbed = news(case, case.due_at)
    assert late == contract.CaseOverdue(handler_id=STATION, due_at=case.due_at)
    assert isinstance(climbed, contract.CaseEscalated)
    assert news(case, case.due_at) == []


def test_a_case_that_nobody_looked_at_is_overdue_without_a_warning() -> None:
    case = taken()
    assert [type(event).__name__ for event in news(case, case.due_at)] == ["CaseOverdue", "CaseEscalated"]


def test_a_pause_that_is_over_ends() -> None:
    case = taken()
    limits.pause(case, contract.PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, MONDAY + HOUR)
    assert news(case, MONDAY + HOUR - timedelta(milliseconds=1)) == []
    assert [type(event).__name__ for event in news(case, MONDAY + HOUR)] == ["CaseResumed"]


@pytest.mark.parametrize(("outcome", "reason"), [("partly_fixed", "partly_fixed"), (None, "no_action")])
def test_a_resolved_case_is_closed_when_it_can_be_reopened_no_more(outcome: str | None, reason: str) -> None:
    case = taken()
    case.record(RESOLVED.model_copy(update={"resolved_at": MONDAY}))
    case.outcome = outcome
    end = MONDAY + timedelta(days=15)
    assert news(case, end) == [contract.CaseClosed(reason=reason, ended_at=end)]


def test_only_a_running_case_escalates_and_only_when_it_is_time() -> None:
    case = given("station", STATION)
    assert not limits.is_escalating(case, case.respond_by - timedelta(milliseconds=1))
    assert limits.is_escalating(case, case.respond_by)
    case.state = State.SUSPENDED
    assert not limits.is_escalating(case, case.due_at)
    case.state, case.owner_place = State.DISPATCHED, CITY
    assert not limits.is_escalating(case, case.due_at)
