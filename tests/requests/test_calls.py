"""Calls: a volunteer sees what helping needs, as long as the team has the case, and nothing more."""

from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.scope import Actor
from services.chassis.storage.vault import Vault
from services.contracts.members.people import PersonRegistered
from services.contracts.members.teams import TeamFounded, TeamMemberJoined, TeamMemberLeft, TeamWentOnDuty
from services.requests.cases.calls.queries import get_call
from services.requests.cases.dispatch import commands as dispatch
from services.requests.providers.model import Team
from services.requests.residents.model import Person
from tests.requests.town import DISPATCHER, HOME, LEADER, NEIGHBOUR, PATROL, RESIDENT, Town

HEAD = Actor("account_head", frozenset({"resident"}), person="person_head")
FORMER = Actor("account_former", frozenset({"resident"}), person="person_former")


@pytest.fixture
async def case(town: Town) -> dict[str, Any]:
    """A request that a team has a slot for; a neighbour is among its volunteers."""
    founded = TeamFounded(
        kind="public_safety",
        name={"zh": "治安队", "en": "Patrol"},
        area=HOME,
        skills=["patrol"],
        capacity=2,
        leader_id=HEAD.person,
    )
    joined = [TeamMemberJoined(person_id=person) for person in ("person_former", "person_li")]
    left = TeamMemberLeft(person_id="person_former")
    await town.keep_copy(Team, PATROL, founded, TeamWentOnDuty(), *joined, left)
    seal = town.container.vault.seal
    known = PersonRegistered(
        name=seal("王强", "person_wang", "name"),
        phone=seal("+8613800000001", "person_wang", "phone"),
        address=seal("三号楼", "person_wang", "address"),
    )
    await town.keep_copy(Person, "person_wang", known)
    return await town.file(item="WATCH", address="三号楼二单元", lat=49.21, long=119.76)


async def called(town: Town, case: dict[str, Any], actor: Actor | None) -> tuple[int, dict[str, Any]]:
    answer = await town.get(actor, f"/v1/requests/{case['id']}/call")
    return answer.status_code, answer.json()


async def book(town: Town, case: dict[str, Any]) -> None:
    ctx = town.container.system_context("test", f"book:{case['id']}")
    await dispatch.book(ctx, case["id"], PATROL)


@pytest.mark.parametrize("volunteer", [NEIGHBOUR, HEAD, LEADER], ids=["member", "leader", "works for it"])
async def test_a_volunteer_of_the_team_that_has_it_sees_place_matter_limit_and_whom_to_ring(
    town: Town, case: dict[str, Any], volunteer: Actor
) -> None:
    assert (await called(town, case, volunteer))[0] == 404, "nobody is called before the team has a slot"
    await book(town, case)
    status, call = await called(town, case, volunteer)
    assert status == 200
    assert call == {
        "id": case["id"],
        "number": case["number"],
        "item_name": case["item_name"],
        "title": "楼道灯坏了",
        "text": "三单元的灯不亮。",
        "answers": None,
        "area": HOME,
        "area_name": {"zh": HOME, "en": HOME},
        "address": "三号楼二单元",
        "latitude": 49.21,
        "longitude": 119.76,
        "due_at": case["due_at"],
        "paused_until": None,
        "team": {"zh": "治安队", "en": "Patrol"},
        "name": "王强",
        "phone": "+8613800000001",
    }


@pytest.mark.parametrize(
    "other", [FORMER, RESIDENT, DISPATCHER, None], ids=["former", "resident", "dispatcher", "none"]
)
async def test_nobody_else_sees_a_call(town: Town, case: dict[str, Any], other: Actor | None) -> None:
    await book(town, case)
    assert (await called(town, case, other))[0] == {DISPATCHER: 403, None: 401}.get(other, 404)


async def test_a_call_is_over_when_the_team_has_the_case_no_more(town: Town, case: dict[str, Any]) -> None:
    await book(town, case)
    await town.step(LEADER, case, "accept")
    assert (await called(town, case, NEIGHBOUR))[0] == 200
    await town.step(LEADER, case, "resolve", {"answer": "好了"})
    assert (await called(town, case, NEIGHBOUR))[0] == 404


async def test_who_looked_at_a_call_is_in_the_audit_log(town: Town, case: dict[str, Any]) -> None:
    await book(town, case)
    await called(town, case, NEIGHBOUR)
    entries = await town.container.mongo.find("audit", {"actor": NEIGHBOUR.id}, limit=10)
    assert [(one["action"], one["usecase"], one["subjects"]) for one in entries] == [
        ("read", "requests.cases.calls.get_call", ["person_wang"])
    ]


async def test_of_an_erased_person_a_call_says_nothing(town: Town, case: dict[str, Any]) -> None:
    await book(town, case)
    await town.container.mongo.update("keys", {"_id": "person_wang"}, [{"$set": {"wrapped": None}}])
    another = Vault(town.container.mongo, town.container.vault.master)  # of a process that has held no key yet
    ctx = replace(town.container, vault=another).context(NEIGHBOUR, "look")
    found = await get_call(ctx, case["id"])
    assert (found.address, found.name, found.phone) == ("三号楼二单元", None, None)


async def test_where_the_phone_is_not_known_here_the_call_says_the_rest(town: Town, case: dict[str, Any]) -> None:
    await book(town, case)
    await town.container.mongo.delete(Person.collection(), {"_id": "person_wang"})
    status, call = await called(town, case, NEIGHBOUR)
    assert (status, call["address"], call["phone"]) == (200, "三号楼二单元", None)
