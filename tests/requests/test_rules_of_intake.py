"""Who may file for whom, where it is, and who gets a case that is reopened."""

import pytest

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import Actor
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.contracts.requests.catalogue import Tier
from services.requests.cases.dispatch.model import Choice, Nearby
from services.requests.cases.intake import model as intake
from services.requests.cases.model import Case
from tests.requests.test_life_of_a_case import MONDAY, NEAR, SECRET, filed
from tests.requests.test_rules_of_dispatch import refusal
from tests.requests.town import (
    CENTRE,
    CITY_OFFICE,
    COUNTY_OFFICE,
    DEPARTMENT,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION,
)

STATION_CHOICE = Choice(Tier.STATION, STATION, Words.named("正阳社区服务站", "Zhengyang Station"))
CENTRE_CHOICE = Choice(Tier.CENTRE, CENTRE, Words.named("正阳便民服务中心"))


def test_residents_file_for_themselves_and_operators_for_others() -> None:
    intake.expect_filer(RESIDENT, None)
    intake.expect_filer(OPERATOR, "person_li")
    forbidden = ("forbidden", {"roles": "operator"}, Kind.FORBIDDEN)
    assert refusal(intake.expect_filer, NEIGHBOUR, "person_wang") == forbidden
    bodiless = Actor("account_x", frozenset({"resident"}))
    for actor in (OPERATOR, bodiless, Actor("account_y", frozenset({"operator"}), person="person_y")):
        assert refusal(intake.expect_filer, actor, None) == ("resident-missing", {}, Kind.INVALID)


def test_a_position_has_both_its_numbers() -> None:
    assert intake.written(intake.position(None, None)) is None
    assert intake.written(intake.position(49.2, 119.7)) == "49.2 119.7"
    assert intake.written(intake.position(0.0, 0.0)) == "0.0 0.0"
    for half in ((49.2, None), (None, 119.7)):
        assert refusal(intake.position, *half) == ("position-halved", {}, Kind.INVALID)
    assert intake.CallerUnknown.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize(
    ("tried", "chosen"),
    [
        ([], STATION),
        ([STATION], CENTRE),
        ([STATION, CENTRE, DEPARTMENT], COUNTY_OFFICE),
        ([STATION, CENTRE, DEPARTMENT, COUNTY_OFFICE], CITY_OFFICE),
        ([STATION, CENTRE, DEPARTMENT, COUNTY_OFFICE, CITY_OFFICE], COUNTY_OFFICE),
    ],
)
def test_a_reopened_case_goes_to_somebody_else_else_to_the_supervisor(tried: list[str], chosen: str) -> None:
    case: Case = filed(MONDAY)
    case.tried = tried
    event = contract.CaseReopened(reason=SECRET, times=1, reopened_at=MONDAY)
    choice = intake.reopen(case, event, NEAR)
    assert choice is not None
    assert (choice.id, case.fresh[-1]) == (chosen, event)
    assert intake.reopen(filed(MONDAY), event, Nearby()) is None
