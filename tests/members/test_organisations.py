"""Organisations: who serves a place, under whom, led by whom."""

from typing import Any

import httpx
import pytest

from tests.members.support import (
    ADMINISTRATOR,
    COMMUNITY,
    COUNTY,
    COUNTY_ADMINISTRATOR,
    DISPATCHER,
    FAR_STREET,
    OPERATOR,
    PHONE,
    STREET,
    Members,
)
from tests.support.world import keyed

CENTRE = {"code": f"{STREET}:centre", "kind": "centre", "name": {"zh": "正阳街道便民服务中心"}, "area": STREET}
STATION = {"code": f"{COMMUNITY}:station", "kind": "station", "name": {"zh": "正阳社区服务站"}, "area": COMMUNITY}
HOUSING = {"kind": "department", "name": {"zh": "住建局"}, "area": COUNTY, "department": "housing"}


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def founded(members: Members, body: dict[str, Any]) -> str:
    answer = await members.post(ADMINISTRATOR, "/v1/organisations", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_station_is_founded_under_its_centre_and_found_by_place_kind_and_department(members: Members) -> None:
    centre = await founded(members, CENTRE)
    station = await founded(members, {**STATION, "above": centre})
    housing = await founded(members, HOUSING)
    wanted = [
        ({"under": COUNTY}, {centre, station, housing}),
        ({"under": COUNTY, "kind": "station"}, {station}),
        ({"kind": "centre"}, {centre}),
        ({"department": "housing"}, {housing}),
        ({"under": FAR_STREET}, set()),
    ]
    for query, expected in wanted:
        listed = await members.get(None, "/v1/organisations", **query)
        assert {found["id"] for found in listed.json()["items"]} == expected, query
    one = await members.get(None, f"/v1/organisations/{station}")
    assert (one.json()["above"], one.json()["area"], one.json()["leader"]) == (centre, COMMUNITY, None)


async def test_the_same_code_again_gives_the_same_organisation(members: Members) -> None:
    first = await founded(members, CENTRE)
    assert await founded(members, {**CENTRE, "name": {"zh": "另一个名字"}}) == first
    assert await members.count("organisations") == 1


async def test_a_list_continues_page_by_page(members: Members) -> None:
    ids = {await founded(members, HOUSING) for _ in range(5)}
    found: list[str] = []
    query = {"under": COUNTY, "limit": "2"}
    while len(found) < 10:
        page = (await members.get(None, "/v1/organisations", **query)).json()
        found += [entry["id"] for entry in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert (sorted(found), len(found)) == (sorted(ids), 5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"area": STREET}, "area-unfit"),
        ({"area": "150799999999"}, "area-not-open"),
        ({"department": "housing"}, "department-unfit"),
        ({"above": "organisation_nothere"}, "above-unfit"),
        ({"leader": "person_nothere"}, "person-unknown"),
        ({"kind": "castle"}, "invalid"),
        ({"boss": "x"}, "invalid"),
    ],
)
async def test_an_organisation_that_makes_no_sense_is_refused_and_not_written(
    members: Members, change: dict[str, str], code: str
) -> None:
    refused = await members.post(ADMINISTRATOR, "/v1/organisations", {**STATION, **change})
    assert outcome(refused) == (422, code)
    if code == "area-unfit":
        assert refused.json()["detail"].startswith(f"社区服务站不能设在区域 {STREET}：")
    assert await members.count("organisations") == 0


async def test_one_that_is_not_in_charge_of_the_place_cannot_be_above(members: Members) -> None:
    far = await founded(members, {**CENTRE, "code": "far", "area": FAR_STREET})
    assert outcome(await members.post(ADMINISTRATOR, "/v1/organisations", {**STATION, "above": far})) == (
        422,
        "above-unfit",
    )


async def test_its_leader_is_a_known_person_and_shown_to_staff_only(members: Members) -> None:
    centre = await founded(members, CENTRE)
    person = (await members.post(OPERATOR, "/v1/people", {"phone": PHONE})).json()["id"]
    path = f"/v1/organisations/{centre}"
    assert outcome(await members.put(ADMINISTRATOR, f"{path}/leader", {"person": "person_x"})) == (
        422,
        "person-unknown",
    )
    appointed = await members.put(ADMINISTRATOR, f"{path}/leader", {"person": person})
    again = await members.put(ADMINISTRATOR, f"{path}/leader", {"person": person})
    assert (appointed.json()["leader"], again.headers["ETag"]) == (person, appointed.headers["ETag"])
    assert (await members.get(DISPATCHER, path)).json()["leader"] == person
    assert (await members.get(None, path)).json()["leader"] is None


async def test_only_administrators_of_the_place_found_and_appoint(members: Members) -> None:
    far = {**CENTRE, "area": FAR_STREET}
    assert outcome(await members.post(COUNTY_ADMINISTRATOR, "/v1/organisations", far)) == (403, "outside-your-places")
    assert outcome(await members.post(DISPATCHER, "/v1/organisations", CENTRE)) == (403, "forbidden")
    assert outcome(await members.post(None, "/v1/organisations", CENTRE)) == (401, "sign-in-needed")


async def test_a_key_that_founded_one_is_refused_for_another(members: Members) -> None:
    key = keyed()
    async with members.client(ADMINISTRATOR) as client:
        first, again = [await client.post("/v1/organisations", json=HOUSING, headers=key) for _ in range(2)]
        other = await client.post("/v1/organisations", json=CENTRE, headers=key)
    assert first.json() == again.json()
    assert outcome(other) == (422, "key-reused")
