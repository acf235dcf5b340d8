"""Calls: each who is on call is called once, nearest first, until somebody accepts it or the top has it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import Actor
from services.chassis.domain.words import Words
from services.chassis.schedule.calendar import RoundTheClock
from services.contracts.members.rosters import RosterStarted, Shift, ShiftsAdded, roster_id
from services.contracts.requests import cases as contract
from services.contracts.requests.alarms import CaseCalled
from services.requests.cases.alarms import model as alarms
from services.requests.cases.limits import model as limits
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.cases.steps import model as steps
from services.requests.cases.steps.model import Step
from services.requests.cases.taking.model import accept_for
from services.requests.providers.model import taking
from services.requests.rosters.model import OnCall, Roster, levels
from tests.requests.test_life_of_a_case import RUNGS, SECRET, filed, known
from tests.requests.town import CENTRE, CITY, CITY_OFFICE, COUNTY, COUNTY_OFFICE, GRID, HOME, STATION, STREET

CLOCK = RoundTheClock.in_zone(ZoneInfo("Asia/Shanghai"))
AT = datetime(2026, 11, 28, 14, 54, tzinfo=UTC)
"""Saturday, 22:54 in the city."""
MINUTE = timedelta(minutes=1)
PLACES = (HOME, STREET, COUNTY, CITY)


def danger(**more: Any) -> Case:
    """A case of danger, which the station has; its limits run on the clock."""
    case = filed(AT, **{"accept_within_minutes": 10, **more})
    limits.set_limits(case, CLOCK, AT)
    case.record(contract.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("站")))
    case.fresh.clear()
    return case


def on_call(place: str, *people: str, phones: bool = True) -> OnCall:
    """The first and the backup at a place, on call around the clock."""
    shifts = tuple(
        Shift(id=f"shift_{one}", account_id=f"account_{one}", person_id=one, start=AT, end=AT, backup=number > 0)
        for number, one in enumerate(people)
    )
    return OnCall(place, shifts, frozenset(people if phones else ()))


WHOLE = (on_call(STREET, "li", "wang"), on_call(COUNTY, "zhao"), on_call(CITY, "qian"))


def run(case: Case, there: tuple[OnCall, ...], hours: int = 12) -> list[tuple[float, str, str | None]]:
    """What is called as time passes and nobody accepts: minutes after filing, place, person."""
    seen: list[tuple[float, str, str | None]] = []
    for _ in range(hours * 60):
        at = case.next_tick_at
        if at is None or at > AT + hours * 60 * MINUTE:
            break
        case.fresh.clear()
        limits.tick(case, RUNGS, CLOCK, at, there)
        assert case.next_tick_at != at, "the timer has to move"
        seen += [
            ((at - AT) / MINUTE, event.place, event.person_id) for event in case.fresh if isinstance(event, CaseCalled)
        ]
        seen += [
            ((at - AT) / MINUTE, event.owner_place, "owner")
            for event in case.fresh
            if isinstance(event, contract.CaseEscalated)
        ]
    return seen


def test_nobody_accepts_the_first_the_backup_the_levels_above_and_the_top_each_in_its_time() -> None:
    case = danger()
    alarms.call_next(case, WHOLE, AT)
    assert case.fresh == [
        CaseCalled(step=1, place=STREET, person_id="li", next_at=AT + 10 * MINUTE, handler_id=STATION)
    ]
    assert run(case, WHOLE) == [
        (10, STREET, "wang"),
        (20, COUNTY, "zhao"),
        (30, CITY, "qian"),
        (40, CITY, "owner"),
    ]
    assert (case.owner_place, case.call_at, case.called) == (CITY, None, ["li", "wang", "zhao", "qian"])


def test_a_call_says_whether_it_is_the_backup_who_is_called() -> None:
    case = danger()
    for at in (AT, AT + 10 * MINUTE):
        alarms.call_next(case, WHOLE, at)
    assert [one.backup for one in case.fresh if isinstance(one, CaseCalled)] == [False, True]


def test_the_timer_calls_where_no_reaction_did() -> None:
    minutes, place, person = run(danger(), WHOLE)[0]
    assert (round(minutes * 60), place, person) == (20, STREET, "li")


def test_that_nobody_is_on_call_is_an_alarm_at_each_level_and_goes_straight_on() -> None:
    case = danger()
    alarms.call_next(case, (on_call(STREET), on_call(COUNTY), on_call(CITY, "qian")), AT)
    assert [(one.place, one.person_id, one.step) for one in case.fresh if isinstance(one, CaseCalled)] == [
        (STREET, None, 1),
        (COUNTY, None, 2),
        (CITY, "qian", 3),
    ]
    empty = danger()
    alarms.call_next(empty, (on_call(STREET), on_call(COUNTY), on_call(CITY)), AT)
    assert empty.call_at == AT, "at once"
    assert run(empty, (on_call(STREET), on_call(COUNTY), on_call(CITY))) == [(0, CITY, "owner")]


def test_who_has_no_phone_is_called_with_the_next_and_the_last_of_a_level_has_half_the_time() -> None:
    case = danger()
    alarms.call_next(case, (on_call(STREET, "li", "wang", phones=False), on_call(COUNTY, "zhao")), AT)
    assert case.called == ["li", "wang"]
    assert case.call_at == AT + 5 * MINUTE
    one = danger()
    alarms.call_next(one, (on_call(STREET, "li", "wang"),), AT)
    assert one.called == ["li"]


def test_the_resident_is_not_called_about_their_own_case() -> None:
    case = danger()
    alarms.call_next(case, (on_call(STREET, "person_wang"), on_call(COUNTY, "zhao")), AT)
    assert [(one.place, one.person_id) for one in case.fresh if isinstance(one, CaseCalled)] == [
        (STREET, None),
        (COUNTY, "zhao"),
    ]


def test_who_comes_on_call_meanwhile_at_the_same_level_is_called_before_the_level_above() -> None:
    case = danger()
    alarms.call_next(case, (on_call(STREET, "li"), on_call(COUNTY, "zhao")), AT)
    alarms.call_next(case, (on_call(STREET, "sun"), on_call(COUNTY, "zhao")), AT + 10 * MINUTE)
    assert case.called == ["li", "sun"]


people = st.lists(st.integers(0, 5), max_size=2, unique=True).map(lambda some: [f"person_{one}" for one in some])
rosters = st.tuples(*(st.tuples(people, st.booleans()) for _ in PLACES))


@given(rosters)
def test_whatever_the_rosters_say_everybody_is_called_once_upwards_and_the_top_gets_it(given: Any) -> None:
    there = tuple(on_call(place, *some, phones=phones) for place, (some, phones) in zip(PLACES, given, strict=True))
    case = danger(resident_id="person_0")
    seen = run(case, there, hours=20)
    called = [person for _, _, person in seen if person not in (None, "owner")]
    everybody = {shift.person_id for level in there for shift in level.shifts} - {"person_0"}
    assert sorted(called) == sorted(everybody), "everybody on call, once"
    reached = [place for _, place, person in seen if person != "owner"]
    assert reached == sorted(reached, key=len, reverse=True), "from below up"
    alone = {level.place for level in there if not {one.person_id for one in level.shifts} - {"person_0"}}
    assert sorted(place for _, place, person in seen if person is None) == sorted(alone), "an alarm for each"
    assert [place for _, place, person in seen if person == "owner"] == [CITY], "once, and at the top"
    assert seen[-1][0] <= 1 + 10 * len(everybody)


def test_accepting_ends_the_calls_and_the_resident_is_the_last_to_wait() -> None:
    case = danger()
    alarms.call_next(case, WHOLE, AT)
    accept_for(case, None, AT + MINUTE)
    assert (case.state, case.call_at, case.holder) == (State.ACCEPTED, None, STATION)
    assert case.fresh[-1] == contract.CaseAccepted(response_seconds=60, in_danger=True)
    assert not [one for one in run(case, WHOLE) if one[2] != "owner"]


def test_who_was_called_accepts_for_their_own_organisation_whatever_state_it_waits_in() -> None:
    called = Actor("account_li", frozenset({"dispatcher"}), (STREET,), (), "li")
    other = Actor("account_sun", frozenset({"dispatcher"}), (STREET,), (), "sun")
    given, waiting = danger(), filed(AT, accept_within_minutes=10)
    for case in (given, waiting):
        alarms.call_next(case, WHOLE, AT)
        steps.expect(case, Step.ACCEPT, called, AT)
        assert Step.ACCEPT in steps.allowed(case, called, AT)
        assert Step.ACCEPT not in steps.allowed(case, other, AT)
        with pytest.raises(Refusal) as refused:
            steps.expect(case, Step.ACCEPT, other, AT)
        assert refused.value.code() == "not-your-step"
        accept_for(case, known(CENTRE), AT)
        assert (case.state, case.holder, case.tier) == (State.ACCEPTED, CENTRE, "centre")
        with pytest.raises(Refusal):
            steps.expect(case, Step.ACCEPT, called, AT)
    moved = [one for one in given.fresh if isinstance(one, contract.CaseDispatched)]
    assert [(one.handler_id, one.from_id) for one in moved] == [(CENTRE, STATION)]


def test_it_goes_to_the_nearest_organisation_of_theirs_that_has_cases_else_to_the_office_above() -> None:
    assert taking(HOME, [known(COUNTY_OFFICE), known(STATION)], RUNGS) == known(STATION)
    assert taking("150721101001", [known(STATION), known(CITY_OFFICE)], RUNGS) == known(CITY_OFFICE)
    assert taking(HOME, [], RUNGS) == known(CENTRE)
    assert taking(HOME, [], ()) is None
    with pytest.raises(Refusal) as refused:
        accept_for(filed(AT, accept_within_minutes=10), None, AT)
    assert (refused.value.code(), refused.value.params) == ("no-office", {"place": STREET})


def test_a_case_that_is_reopened_is_called_about_again() -> None:
    case = danger()
    alarms.call_next(case, WHOLE, AT)
    accept_for(case, None, AT)
    case.record(contract.CaseReopened(reason=SECRET, times=1, reopened_at=AT + 60 * MINUTE))
    assert (case.calls, case.called, case.call_at) == (0, [], AT + 60 * MINUTE + timedelta(seconds=20))


def returned(case: Case, at: datetime) -> None:
    """Who has it gives it back."""
    limits.send_back(case, SECRET, RUNGS, CLOCK, at)


def test_a_case_that_is_returned_after_it_was_accepted_is_called_about_again_up_to_the_top() -> None:
    case = danger()
    alarms.call_next(case, WHOLE, AT)
    accept_for(case, None, AT + MINUTE)
    returned(case, AT + 30 * MINUTE)
    assert run(case, WHOLE) == [
        (30 + 1 / 3, STREET, "li"),
        (40 + 1 / 3, STREET, "wang"),
        (50 + 1 / 3, COUNTY, "zhao"),
        (60 + 1 / 3, CITY, "qian"),
        (70 + 1 / 3, CITY, "owner"),
    ]


def test_that_it_is_returned_before_anybody_accepted_it_ends_no_calls_however_often() -> None:
    case = danger()
    alarms.call_next(case, WHOLE, AT)
    for minutes in (1, 2):
        returned(case, AT + minutes * MINUTE)
        case.record(contract.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("站")))
    assert case.owner_place == COUNTY, "the supervisor has it since it was returned twice"
    assert [person for _, _, person in run(case, WHOLE)] == ["wang", "zhao", "qian", "owner"]


def test_a_level_has_somebody_on_call_by_its_roster_and_a_community_only_where_it_has_one() -> None:
    def a_roster(place: str, person: str) -> Roster:
        roster = Roster.blank(roster_id(place, "health"))
        roster.apply(RosterStarted(area=place, system="health", started_at=AT - MINUTE))
        start, end = AT - MINUTE, AT + MINUTE
        shift = Shift(id="shift_1", account_id="account_1", person_id=person, start=start, end=end)
        roster.apply(ShiftsAdded(shifts=[shift], added_at=AT))
        return roster

    def found(area: str, at: datetime, *rosters: Roster) -> list[tuple[str, list[str]]]:
        return [
            (level.place, [shift.person_id for shift in level.shifts]) for level in levels(area, "health", rosters, at)
        ]

    county, home = a_roster(COUNTY, "zhao"), a_roster(HOME, "li")
    assert found(GRID, AT, county) == [(STREET, []), (COUNTY, ["zhao"]), (CITY, [])]
    assert found(HOME, AT, home)[0] == (HOME, ["li"])
    assert found(HOME, AT + MINUTE, home)[0] == (HOME, []), "its shift is over"
