"""The audit log of members, as auditors read it; and what an auditor must not be besides."""

from typing import Any

import pytest

from services.chassis.domain.scope import Actor
from tests.members.support import (
    ADMINISTRATOR,
    CITY,
    COMMUNITY,
    COUNTY,
    COUNTY_ADMINISTRATOR,
    DISPATCHER,
    OPERATOR,
    Members,
)

AUDITOR = Actor("account_auditor", frozenset({"auditor"}), (CITY,))
CALLER = {"phone": "13800000009", "name": "乌云", "area": COMMUNITY}


async def unmasked(members: Members) -> str:
    """A person whom an operator has seen in clear."""
    person = (await members.post(OPERATOR, "/v1/people", CALLER)).json()["id"]
    answer = await members.post(OPERATOR, f"/v1/people/{person}/unmask", {"reason": "核对电话"})
    assert answer.status_code == 200, answer.text
    return str(person)


async def entries(members: Members, **asked: str) -> list[dict[str, Any]]:
    answer = await members.get(AUDITOR, "/v1/audit", **asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_an_auditor_reads_who_saw_somebody_in_clear(members: Members) -> None:
    person = await unmasked(members)
    [entry] = await entries(members, action="unmask", subject=person)
    assert (entry["actor"], entry["usecase"], entry["about"]) == (OPERATOR.id, "members.people.unmask", [person])
    assert "乌云" not in str(entry)
    assert await entries(members, action="unmask", subject="person_other") == []


async def test_the_log_comes_in_pages_the_latest_first(members: Members) -> None:
    for _ in range(3):
        await members.get(DISPATCHER, "/v1/accounts")
    whole = await entries(members, action="refuse")
    first = (await members.get(AUDITOR, "/v1/audit", action="refuse", limit="2")).json()
    rest = (await members.get(AUDITOR, "/v1/audit", action="refuse", after=first["next"])).json()
    assert [*first["items"], *rest["items"]] == whole
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)


@pytest.mark.parametrize("who", [ADMINISTRATOR, COUNTY_ADMINISTRATOR, OPERATOR, DISPATCHER])
async def test_nobody_but_an_auditor_reads_it(members: Members, who: Actor) -> None:
    answer = await members.get(who, "/v1/audit")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/rosters"])
async def test_an_auditor_does_no_work_of_others(members: Members, path: str) -> None:
    assert (await members.get(AUDITOR, path)).status_code == 403


@pytest.mark.parametrize(
    ("roles", "places", "code"),
    [
        (["auditor", "administrator"], [CITY], "auditor-alone"),
        (["operator", "auditor"], [CITY], "auditor-alone"),
        (["auditor"], [COUNTY], "auditor-of-city"),
    ],
)
async def test_an_auditor_is_nothing_else_and_of_the_whole_city(
    members: Members, roles: list[str], places: list[str], code: str
) -> None:
    answer = await members.post(ADMINISTRATOR, "/v1/accounts", {"login": "auditor-1", "roles": roles, "places": places})
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_only_an_administrator_of_the_city_makes_an_auditor(members: Members) -> None:
    body = {"login": "auditor-1", "roles": ["auditor"], "places": [CITY]}
    refused = await members.post(COUNTY_ADMINISTRATOR, "/v1/accounts", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "outside-your-places")
    assert (await members.post(ADMINISTRATOR, "/v1/accounts", body)).status_code == 201
