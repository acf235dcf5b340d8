"""Routing: the rules applied anew, teams near and far, and what only the supervisor decides."""

import pytest

from services.chassis.domain.words import Words
from services.contracts.members.organisations import OrganisationFounded
from services.contracts.members.teams import TeamFounded, TeamWentOnDuty
from services.contracts.requests.cases import CaseReturned, CaseUnassigned
from services.contracts.requests.catalogue import Tier
from services.requests.cases.dispatch import model as dispatch
from services.requests.cases.dispatch.model import Choice, Nearby, TeamLoad
from services.requests.cases.dispatch.queries import load_id, taken
from services.requests.cases.states.model import State
from services.requests.providers import queries as providers
from services.requests.providers.model import Organisation, Team
from tests.requests.test_dispatch import team
from tests.requests.test_life_of_a_case import MONDAY, NEAR, SECRET, filed
from tests.requests.town import (
    BARE,
    CENTRE,
    CENTRE_HANDLER,
    CITY,
    COUNTY,
    DISPATCHER,
    ELSEWHERE,
    HOME,
    PATROL,
    RESIDENT,
    STREET,
    SUPERVISOR,
    Town,
)


async def test_a_case_that_waits_is_routed_when_a_team_has_come_on_duty(town: Town) -> None:
    filed = await town.file(item="WATCH")
    await town.step(CENTRE_HANDLER, filed, "return", {"reason": "应由志愿队上门"})
    path = f"/v1/requests/{filed['id']}/route"
    refused = await town.post(DISPATCHER, path)
    assert (refused.status_code, refused.json()["code"]) == (409, "nobody-left")
    await town.team(PATROL)
    waiting = (await town.get(DISPATCHER, f"/v1/requests/{filed['id']}")).json()
    assert {"step": "route", "method": "POST", "path": path}.items() <= waiting["steps"][0].items()
    routed = await town.step(DISPATCHER, filed, "route")
    assert (routed["state"], routed["handler"]["id"], routed["handler"]["tier"]) == ("dispatched", PATROL, "team")
    assert (await town.events(filed["id"]))[-2:] == ["CaseReturned", "CaseDispatched"]


async def test_a_case_that_somebody_has_is_not_routed_nor_by_residents(town: Town) -> None:
    filed = await town.file()
    held = await town.post(DISPATCHER, f"/v1/requests/{filed['id']}/route")
    own = await town.post(RESIDENT, f"/v1/requests/{filed['id']}/route")
    assert [answer.json()["code"] for answer in (held, own)] == ["step-not-allowed", "forbidden"]


async def test_what_came_back_twice_is_routed_by_the_supervisor_and_for_good(town: Town) -> None:
    filed = await town.file(item="WATCH")
    await town.step(CENTRE_HANDLER, filed, "return", {"reason": "不归我们"})
    await town.step(DISPATCHER, filed, "handler", {"organisation_id": CENTRE})
    await town.step(CENTRE_HANDLER, filed, "return", {"reason": "还是不归我们"})
    await town.team(PATROL)
    refused = await town.post(DISPATCHER, f"/v1/requests/{filed['id']}/route")
    assert refused.json()["code"] == "supervisor-decides"
    routed = await town.step(SUPERVISOR, filed, "route")
    assert (routed["handler"]["id"], routed["inside"]["forced"]) == (PATROL, True)


@pytest.mark.parametrize(("returns", "handler"), [(1, CENTRE), (2, None)])
def test_a_full_team_passes_a_case_on_unless_the_supervisor_gave_it(returns: int, handler: str | None) -> None:
    case = filed(MONDAY, tiers=["team", "centre"], skill="patrol")
    for times in range(returns):
        case.record(CaseReturned(reason=SECRET, times=times + 1))
    dispatch.assign(case, Choice.of(Tier.TEAM, team(PATROL)), MONDAY)
    dispatch.pass_on(case, PATROL, Nearby(NEAR.offices))
    assert case.handler_id == handler
    if handler is None:
        assert isinstance(case.fresh[-1], CaseUnassigned)
        assert case.state is State.NEW


async def test_a_hotline_is_given_no_case(town: Town) -> None:
    hotline = OrganisationFounded(kind="hotline", name=Words.named("便民服务热线中心"), area=CITY)
    await town.keep_copy(Organisation, "organisation_hotline", hotline)
    filed = await town.file()
    path = f"/v1/requests/{filed['id']}/handler"
    refused = await town.put(SUPERVISOR, path, {"organisation_id": "organisation_hotline"})
    assert (refused.status_code, refused.json()["code"]) == (422, "handler-unfit")


async def test_teams_of_the_county_and_the_city_help_where_no_nearer_one_is(town: Town) -> None:
    for id, area in (("team_city", CITY), ("team_county", COUNTY), ("team_other", ELSEWHERE), ("team_near", BARE)):
        await town.team(id, area=area)
    near = await providers.teams_near(town.context(DISPATCHER), HOME, None, "patrol")
    assert [one.id for one in near] == ["team_near", "team_county", "team_city"]
    filed = await town.file()
    given = await town.step(DISPATCHER, filed, "team", {"team_id": "team_county"})
    assert given["handler"]["id"] == "team_county"


async def test_the_load_of_each_team_counts_however_many_are_near(town: Town) -> None:
    teams = [team(f"team_{number:03}") for number in range(120)]
    for one in teams:
        load = {
            "_id": load_id(one.id),
            "version": 1,
            "state": {"cases": ["case_one"], "given_at": {"case_one": 1}, "team_id": one.id},
        }
        await town.container.mongo.insert(TeamLoad.collection(), load)
    assert await taken(town.context(DISPATCHER), teams) == {one.id: 1 for one in teams}


@pytest.mark.parametrize(("sort", "skill"), [("elderly", "patrol"), ("public_safety", "cleaning")])
async def test_the_team_that_fits_is_found_among_many_that_do_not(town: Town, sort: str, skill: str) -> None:
    for number in range(101):
        founded = TeamFounded(kind=sort, name=Words.named("队"), area=STREET, skills=[skill], capacity=1)
        await town.keep_copy(Team, f"team_{number:03}", founded, TeamWentOnDuty())
    await town.team("team_zz", area=STREET)
    assert (await town.file(item="WATCH"))["handler"]["id"] == "team_zz"
