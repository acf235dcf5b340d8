"""Volunteer teams: who is in them, who runs them, when they take cases."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.contracts.members.teams import TeamFounded, TeamKind
from services.members.teams import model
from services.members.teams.model import Team, TeamTooLarge
from tests.members.support import (
    ADMINISTRATOR,
    COMMUNITY,
    COUNTY,
    DISPATCHER,
    FAR_COMMUNITY,
    FAR_DISPATCHER,
    OPERATOR,
    PHONE,
    Members,
)

PATROL = {
    "code": f"{COMMUNITY}:public_safety",
    "kind": "public_safety",
    "name": {"zh": "正阳社区治安志愿服务队"},
    "area": COMMUNITY,
    "skills": ["patrol", "fire_check"],
    "capacity": 4,
}
MEMBERS = st.sampled_from([f"person_{number}" for number in range(6)])
STEPS = st.lists(
    st.one_of(st.tuples(st.sampled_from(["join", "leave"]), MEMBERS), st.just(("on", "")), st.just(("off", "")))
)


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def a_team(**more: Any) -> Team:
    team = Team.blank("team_1")
    founded = {
        "kind": TeamKind.WOMEN,
        "name": {"zh": "巾帼队"},
        "area": COMMUNITY,
        "skills": ["visiting"],
        "capacity": 3,
    }
    team.record(TeamFounded(**{**founded, **more}))
    return team


@given(STEPS)
def test_members_and_duty_are_what_the_steps_make_them_and_each_event_changes_something(
    steps: list[tuple[str, str]],
) -> None:
    team, expected, on_duty = a_team(leader_id="person_head"), set[str](), False
    for step, person in steps:
        before: list[Event] = list(team.fresh)
        changes = {"join": person not in expected, "leave": person in expected, "on": not on_duty, "off": on_duty}[step]
        match step:
            case "join":
                model.join(team, person)
                expected.add(person)
            case "leave":
                model.leave(team, person)
                expected.discard(person)
            case "on":
                model.go_on_duty(team)
                on_duty = True
            case _:
                model.go_off_duty(team)
                on_duty = False
        assert (sorted(team.members), team.on_duty) == (sorted(expected), on_duty)
        assert len(team.fresh) - len(before) == changes


def test_a_team_has_five_hundred_members_at_most() -> None:
    team = a_team()
    for number in range(500):
        model.join(team, f"person_{number}")
    with pytest.raises(TeamTooLarge):
        model.join(team, "person_500")
    model.join(team, "person_499")
    model.leave(team, "person_7")
    model.join(team, "person_500")
    assert len(team.members) == 500


async def founded(members: Members, **more: Any) -> str:
    answer = await members.post(ADMINISTRATOR, "/v1/teams", {**PATROL, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def a_person(members: Members, phone: str = PHONE) -> str:
    return str((await members.post(OPERATOR, "/v1/people", {"phone": phone})).json()["id"])


async def test_a_team_is_found_by_place_kind_skill_and_duty(members: Members) -> None:
    patrol = await founded(members)
    women = await founded(members, code="women", kind="women", skills=["visiting", "patrol"])
    far = await founded(members, code="far", area=FAR_COMMUNITY)
    await members.put(ADMINISTRATOR, f"/v1/teams/{patrol}/leader", {"person": await a_person(members)})
    await members.put(ADMINISTRATOR, f"/v1/teams/{patrol}/on-duty")
    wanted: list[tuple[dict[str, str], set[str]]] = [
        ({"under": COUNTY}, {patrol, women}),
        ({"under": COUNTY, "kind": "women"}, {women}),
        ({"skill": "patrol"}, {patrol, women, far}),
        ({"skill": "fire_check", "under": COMMUNITY}, {patrol}),
        ({"on_duty": "true"}, {patrol}),
        ({"on_duty": "false", "kind": "public_safety"}, {far}),
    ]
    for query, expected in wanted:
        listed = await members.get(None, "/v1/teams", **query)
        assert {found["id"] for found in listed.json()["items"]} == expected, query


async def test_the_same_code_again_gives_the_same_team(members: Members) -> None:
    assert await founded(members) == await founded(members)
    assert await members.count("teams") == 1


async def test_its_leader_runs_a_team_and_others_do_not(members: Members) -> None:
    team, person = await founded(members), await a_person(members)
    path = f"/v1/teams/{team}"
    leader = Actor("account_leader", frozenset({"handler"}), (COMMUNITY,), person=person)
    assert outcome(await members.put(leader, f"{path}/on-duty")) == (403, "not-your-team")
    assert (await members.put(DISPATCHER, f"{path}/leader", {"person": person})).json()["leader"] == person
    assert (await members.put(leader, f"{path}/on-duty")).json()["on_duty"] is True
    assert (await members.put(leader, f"{path}/off-duty")).json()["on_duty"] is False
    by_account = replace(leader, id="account_2", person=None, organisations=(team,))
    assert (await members.put(by_account, f"{path}/members/{person}")).json()["members"] == [person]
    resident = Actor("account_3", frozenset({"resident"}), person=person)
    for actor, expected in ((FAR_DISPATCHER, "not-your-team"), (resident, "forbidden")):
        assert outcome(await members.put(actor, f"{path}/on-duty")) == (403, expected)


async def test_who_leads_a_team_is_said_in_its_place_and_not_by_a_leader_who_dispatches_elsewhere(
    members: Members,
) -> None:
    team, person = await founded(members), await a_person(members)
    path = f"/v1/teams/{team}"
    both = frozenset({"handler", "dispatcher"})
    elsewhere = replace(FAR_DISPATCHER, roles=both, person=person, organisations=(team,))
    assert (await members.put(DISPATCHER, f"{path}/leader", {"person": person})).status_code == 200
    other = {"person": await a_person(members, "13800000002")}
    for actor in (elsewhere, FAR_DISPATCHER):
        assert outcome(await members.put(actor, f"{path}/leader", other)) == (403, "outside-your-places")
    assert (await members.put(elsewhere, f"{path}/on-duty")).json()["leader"] == person
    assert (await members.put(ADMINISTRATOR, f"{path}/leader", other)).json()["leader"] == other["person"]


async def test_members_join_and_leave_and_only_who_runs_the_team_sees_them(members: Members) -> None:
    team, person = await founded(members), await a_person(members)
    path = f"/v1/teams/{team}"
    assert outcome(await members.put(DISPATCHER, f"{path}/members/person_x")) == (422, "person-unknown")
    joined = await members.put(DISPATCHER, f"{path}/members/{person}")
    again = await members.put(DISPATCHER, f"{path}/members/{person}")
    assert (joined.json()["members"], again.headers["ETag"]) == ([person], joined.headers["ETag"])
    for actor in (None, FAR_DISPATCHER):
        seen = (await members.get(actor, path)).json()
        assert (seen["member_count"], seen["members"]) == (1, None)
    async with members.client(DISPATCHER) as client:
        left = await client.delete(f"{path}/members/{person}")
    assert (left.status_code, left.json()["members"]) == (200, [])


async def test_a_change_of_a_version_that_is_past_is_refused(members: Members) -> None:
    team = await founded(members, leader=await a_person(members))
    await members.put(DISPATCHER, f"/v1/teams/{team}/on-duty")
    async with members.client(DISPATCHER) as client:
        stale = await client.put(f"/v1/teams/{team}/off-duty", headers={"If-Match": '"1"'})
    assert outcome(stale) == (412, "stale")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "army"},
        {"skills": []},
        {"skills": [{"$ne": ""}]},
        {"capacity": 0},
        {"capacity": "many"},
        {"on_duty": "perhaps"},
    ],
)
async def test_a_team_that_makes_no_sense_is_refused(members: Members, change: dict[str, object]) -> None:
    assert outcome(await members.post(DISPATCHER, "/v1/teams", {**PATROL, **change})) == (422, "invalid")
    assert await members.count("teams") == 0


async def test_a_team_may_begin_on_duty(members: Members) -> None:
    leader = await a_person(members)
    made = await members.post(DISPATCHER, "/v1/teams", {**PATROL, "leader": leader, "on_duty": True})
    assert (made.json()["on_duty"], made.headers["etag"]) == (True, '"2"')


async def test_a_team_without_a_leader_takes_no_cases(members: Members) -> None:
    refused = await members.post(DISPATCHER, "/v1/teams", {**PATROL, "on_duty": True})
    assert outcome(refused) == (409, "leader-missing")
    path = f"/v1/teams/{await founded(members)}"
    assert outcome(await members.put(DISPATCHER, f"{path}/on-duty")) == (409, "leader-missing")
    assert (await members.get(None, path)).json()["on_duty"] is False
    await members.put(DISPATCHER, f"{path}/leader", {"person": await a_person(members)})
    assert (await members.put(DISPATCHER, f"{path}/on-duty")).json()["on_duty"] is True


async def test_a_dispatcher_founds_teams_in_the_own_place_only(members: Members) -> None:
    assert (await members.post(DISPATCHER, "/v1/teams", PATROL)).status_code == 201
    assert outcome(await members.post(FAR_DISPATCHER, "/v1/teams", {**PATROL, "code": "other"})) == (
        403,
        "outside-your-places",
    )
