"""Dispatch and intake: who is chosen, what is recorded of it, who may file for whom, and a team's slots."""

from typing import Any, cast

import pytest

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.words import Words
from services.contracts.members.organisations import OrganisationFounded
from services.contracts.members.teams import TeamWentOffDuty
from services.contracts.requests import cases as contract
from services.contracts.requests.case_parts import LeavesHandler, OfHandler
from services.contracts.requests.cases import UnassignedBecause
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dispatch import SlotFreed, SlotRefused, SlotReserved
from services.requests.cases.dispatch import model as dispatch
from services.requests.cases.dispatch.model import CaseAt, Choice, Nearby, TeamLoad
from services.requests.cases.dispatch.reactions import HandlerChanged, concerns_a_team, keep_team_slots
from services.requests.cases.states.model import HELD, State
from services.requests.providers.model import Organisation
from tests.requests.test_dispatch import team
from tests.requests.test_life_of_a_case import MONDAY, NEAR, OFFICES, SECRET, filed, known
from tests.requests.town import (
    CENTRE,
    CITY,
    CITY_OFFICE,
    COUNTY,
    COUNTY_OFFICE,
    DEPARTMENT,
    ELSEWHERE,
    GRID,
    PATROL,
    STATION,
    STREET,
)

STATION_CHOICE = Choice(Tier.STATION, STATION, Words.named("正阳社区服务站", "Zhengyang Station"))
CENTRE_CHOICE = Choice(Tier.CENTRE, CENTRE, Words.named("正阳便民服务中心"))


def dispatched(choice: Choice, **more: Any) -> contract.CaseDispatched:
    return contract.CaseDispatched(tier=choice.tier, handler_id=choice.id, handler_name=choice.name, **more)


def refusal(call: Any, *given: Any) -> tuple[str, dict[str, Any], Kind]:
    with pytest.raises(Refusal) as refused:
        call(*given)
    return refused.value.code(), refused.value.params, refused.value.kind


@pytest.mark.parametrize(
    ("tier", "id"), [("station", STATION), ("centre", CENTRE), ("county", DEPARTMENT), ("team", PATROL)]
)
def test_each_tier_is_served_by_its_own_kind_of_body(tier: str, id: str) -> None:
    near = Nearby(OFFICES, [team(PATROL)])
    chosen = dispatch.choose(filed(MONDAY, tiers=[tier], skill="patrol"), near)
    assert chosen is not None
    assert (chosen.tier, chosen.id) == (tier, id)


def test_anyone_who_is_chosen_is_chosen_with_both_names() -> None:
    assert dispatch.choose(filed(MONDAY), NEAR) == STATION_CHOICE
    assert dispatch.choose(filed(MONDAY), NEAR, {STATION}) == CENTRE_CHOICE


def test_a_tier_that_is_none_has_nobody_and_a_department_does_only_its_own() -> None:
    assert dispatch.choose(filed(MONDAY, tiers=["supervision", "of_tomorrow"]), NEAR) is None
    assert dispatch.choose(filed(MONDAY, tiers=["county"], department="housing"), NEAR) is None


def test_the_nearest_supervising_office_is_the_countys_else_the_citys() -> None:
    first, second = dispatch.supervisor(NEAR), dispatch.supervisor(NEAR, {COUNTY_OFFICE})
    assert first is not None
    assert second is not None
    assert [(one.tier, one.id) for one in (first, second)] == [
        ("supervision", COUNTY_OFFICE),
        ("supervision", CITY_OFFICE),
    ]
    assert dispatch.supervisor(NEAR, {COUNTY_OFFICE, CITY_OFFICE}) is None


def test_a_team_has_room_below_its_capacity() -> None:
    two = team(PATROL, capacity=2)
    assert [Nearby(taken={PATROL: taken}).room(two) for taken in (0, 1, 2, 3)] == [True, True, False, False]
    assert Nearby().room(two)


def test_a_case_is_given_to_the_choice_or_waits_with_the_reason() -> None:
    case = filed(MONDAY)
    dispatch.give(case, STATION_CHOICE, UnassignedBecause.NOBODY_LEFT)
    assert case.fresh[-1] == dispatched(STATION_CHOICE)
    before = len(case.fresh)
    dispatch.give(case, None, UnassignedBecause.NOBODY_SERVES)
    left = {"from_id": STATION, "from_tier": "station", "from_announced": True}
    assert case.fresh[before:] == [contract.CaseUnassigned(reason="nobody_serves", **left)]


@pytest.mark.parametrize(("returns", "forced"), [(1, False), (2, True), (3, True)])
def test_what_came_back_too_often_is_given_for_good(returns: int, *, forced: bool) -> None:
    case = filed(MONDAY)
    case.returns = returns
    dispatch.assign(case, STATION_CHOICE, MONDAY)
    assert case.fresh[-1] == dispatched(STATION_CHOICE, forced=forced, respond_by=MONDAY)
    before = len(case.fresh)
    dispatch.assign(case, STATION_CHOICE, MONDAY)
    assert len(case.fresh) == before, "who has it is not given it again"


@pytest.mark.parametrize("state", [State.DISPATCHED, State.ACCEPTED])
def test_a_team_that_is_full_passes_on_only_what_it_has_and_has_not_taken_on(state: State) -> None:
    case = filed(MONDAY)
    case.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    case.state = state
    before = len(case.fresh)
    dispatch.pass_on(case, "team_other", NEAR)
    assert len(case.fresh) == before
    dispatch.pass_on(case, PATROL, NEAR)
    next_one = dispatched(STATION_CHOICE, from_id=PATROL, from_tier="team")
    assert case.fresh[before:] == ([next_one] if state is State.DISPATCHED else [])


def test_what_a_team_has_a_slot_for_is_not_passed_on_because_of_an_older_refusal() -> None:
    case = filed(MONDAY)
    case.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    dispatch.book(case, PATROL)
    before = len(case.fresh)
    dispatch.pass_on(case, PATROL, NEAR)
    assert len(case.fresh) == before


def test_a_case_is_announced_to_its_team_once_and_to_no_other() -> None:
    case = filed(MONDAY)
    case.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    assert not case.announced
    dispatch.book(case, "team_other")
    assert not case.announced
    for _ in range(2):
        dispatch.book(case, PATROL)
    booked = contract.CaseBooked(handler_id=PATROL, handler_name=Words.named("队"))
    assert (case.announced, case.fresh[-1], case.fresh.count(booked)) == (True, booked, 1)
    case.record(dispatched(STATION_CHOICE))
    assert case.fresh[-1] == dispatched(STATION_CHOICE, from_id=PATROL, from_tier="team", from_announced=True)
    assert case.announced
    dispatch.book(case, PATROL)
    assert case.fresh[-1] != booked


@pytest.mark.parametrize("state", State)
def test_a_dispatcher_is_asked_about_what_a_team_off_duty_has_and_has_not_done(state: State) -> None:
    case = filed(MONDAY)
    case.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    case.state = state
    dispatch.ask_dispatcher(case, "team_other")
    assert not isinstance(case.fresh[-1], contract.CaseTeamAway)
    dispatch.ask_dispatcher(case, PATROL)
    assert isinstance(case.fresh[-1], contract.CaseTeamAway) is (state in HELD)


def test_where_nobody_is_next_the_case_waits_because_the_team_was_full() -> None:
    case = filed(MONDAY)
    case.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    dispatch.pass_on(case, PATROL, Nearby())
    assert case.fresh[-1] == contract.CaseUnassigned(reason="team_full", from_id=PATROL, from_tier="team")


LEAVING = (
    contract.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("站")),
    contract.CaseUnassigned(reason="x"),
    contract.CaseReturned(reason=SECRET, times=1),
    contract.CaseResolved(outcome="fixed", answer=SECRET, resolved_at=MONDAY, resolution_seconds=60),
    contract.CaseCancelled(ended_at=MONDAY),
    contract.CaseRejected(reason="x", answer=SECRET, ended_at=MONDAY),
)


@pytest.mark.parametrize("event", LEAVING, ids=lambda event: type(event).__name__)
def test_where_a_team_may_lose_a_case_the_event_names_it_and_that_alone_concerns_its_slots(
    event: HandlerChanged,
) -> None:
    of_team, of_station = filed(MONDAY), filed(MONDAY)
    of_team.record(contract.CaseDispatched(tier="team", handler_id=PATROL, handler_name=Words.named("队")))
    of_station.record(dispatched(STATION_CHOICE))
    for concerned, case in ((True, of_team), (False, of_station)):
        assert concerns_a_team(cast(HandlerChanged, case.fresh[-1])) is concerned
        holder, tier = case.handler_id, case.tier
        case.record(event)
        left = {"from_id": holder, "from_tier": tier, "from_announced": not concerned}
        left |= {"handler_id": holder} if isinstance(event, OfHandler) else {}
        assert case.fresh[-1] == event.model_copy(update=left)
        assert concerns_a_team(case.fresh[-1]) is concerned


def test_the_slots_follow_every_event_after_which_a_team_may_have_lost_a_case() -> None:
    leaving = {kind.__name__ for kind in LeavesHandler.__subclasses__()}
    assert {kind.__name__ for kind in keep_team_slots.types.values()} == leaving - {"CaseReopened"}, "it was done"
    assert {type(event).__name__ for event in LEAVING} == leaving - {"CaseReopened"}


def test_the_rules_find_somebody_who_has_not_had_it_or_say_so() -> None:
    case = filed(MONDAY)
    case.tried = [STATION]
    assert dispatch.next_one(case, NEAR) == CENTRE_CHOICE
    case.tried = [STATION, CENTRE, DEPARTMENT]
    assert refusal(dispatch.next_one, case, NEAR) == ("nobody-left", {}, Kind.STATE)


def test_by_hand_each_kind_of_body_is_somebody_of_its_tier_and_a_hotline_is_nobody() -> None:
    tiers = {office.id: dispatch.by_hand(office).tier for office in OFFICES}
    assert tiers == {
        STATION: "station",
        CENTRE: "centre",
        DEPARTMENT: "county",
        COUNTY_OFFICE: "supervision",
        CITY_OFFICE: "supervision",
    }
    assert dispatch.by_hand(known(STATION)) == STATION_CHOICE
    hotline = Organisation.blank("organisation_hotline")
    hotline.apply(OrganisationFounded(kind="hotline", name=Words.named("热线", "Hotline"), area=CITY))
    expected = ("handler-unfit", {"handler": Words(zh="热线", en="Hotline")}, Kind.INVALID)
    assert refusal(dispatch.by_hand, hotline) == expected


def test_a_body_serves_what_lies_in_its_area_and_a_team_its_whole_sub_district() -> None:
    case = filed(MONDAY)
    neighbours = team("team_1", area=f"{STREET}002")
    for office in OFFICES:
        dispatch.expect_serves(case, office)
    for helping in (team("team_2", area=COUNTY), neighbours):
        dispatch.expect_serves(case, helping)
    station = Organisation.blank("organisation_2")
    for area in (f"{STREET}002", ELSEWHERE, GRID):
        station.apply(OrganisationFounded(kind="station", name=Words.named("站", "Post"), area=area))
        expected = ("handler-elsewhere", {"handler": Words(zh="站", en="Post")}, Kind.INVALID)
        assert refusal(dispatch.expect_serves, case, station) == expected
    code, params, _ = refusal(dispatch.expect_serves, case, team("team_3", area=ELSEWHERE))
    assert (code, params) == ("handler-elsewhere", {"handler": Words(zh="team_3", en="team_3")})


def test_a_team_is_able_on_duty_with_the_skill_and_room_or_has_the_case_already() -> None:
    case = filed(MONDAY, skill="patrol", team_kind="elderly")
    full = Nearby(taken={PATROL: 1})
    dispatch.expect_able(case, team(PATROL), Nearby())
    assert refusal(dispatch.expect_able, case, team(PATROL), full) == (
        "team-full",
        {"team": Words(zh=PATROL, en=PATROL), "capacity": 1},
        Kind.STATE,
    )
    case.handler_id = PATROL
    dispatch.expect_able(case, team(PATROL), full)
    off = team(PATROL)
    off.name = Words.named(PATROL, "Patrol")
    off.apply(TeamWentOffDuty())
    unfit = ("team-unfit", {"team": Words(zh=PATROL, en="Patrol")}, Kind.STATE)
    assert refusal(dispatch.expect_able, case, off, Nearby()) == unfit
    unskilled = filed(MONDAY, skill="plumbing")
    assert refusal(dispatch.expect_able, unskilled, team(PATROL), Nearby())[0] == "team-unfit"


def test_who_is_not_there_is_no_valid_handler() -> None:
    assert dispatch.HandlerUnknown.kind is Kind.INVALID


def test_a_load_is_what_its_slots_say() -> None:
    load = TeamLoad.blank("load_1")
    for case in ("case_1", "case_2", "case_1", "case_3"):
        dispatch.reserve(load, "team_1", CaseAt(case, 3), 2)
    given = {"case_1": 3, "case_2": 3}
    assert load.as_stored() == {"team_id": "team_1", "cases": ["case_1", "case_2"], "given_at": given}
    for version in (2, 3, 4, 5):
        dispatch.free(load, CaseAt("case_1", version))
    assert load.as_stored() == {"team_id": "team_1", "cases": ["case_2"], "given_at": {"case_2": 3}}
    assert load.fresh == [
        SlotReserved(case_id="case_1", team_id="team_1", case_version=3),
        SlotReserved(case_id="case_2", team_id="team_1", case_version=3),
        SlotRefused(case_id="case_3", team_id="team_1"),
        SlotFreed(case_id="case_1", team_id="team_1"),
    ]
