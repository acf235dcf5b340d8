"""Areas: places with codes that say what they lie in."""

import pytest

from services.contracts.members.areas import Level, enclosing, include_a_city, path
from services.members.app import service
from tests.members.support import (
    ADMINISTRATOR,
    COUNTY_ADMINISTRATOR,
    DISPATCHER,
    FAR_COMMUNITY,
    FAR_COUNTY,
    FAR_STREET,
    Members,
)
from tests.support.world import World, keyed

CITY = {"code": "1507", "level": "city", "name": {"zh": "呼伦贝尔市"}}
NAMED = {"name": {"zh": "东山新社区", "en": "New Dongshan"}}


async def test_an_area_is_added_below_one_that_is_there(world: World) -> None:
    await world.container(service)
    async with world.client(world.app(service), ADMINISTRATOR) as client:
        await client.post("/v1/areas", json=CITY, headers=keyed())
        county = {"code": "150702", "level": "county", "name": {"zh": "海拉尔区", "en": "Hailar District"}}
        made = await client.post("/v1/areas", json=county, headers=keyed())
        listed = await client.get("/v1/areas", params={"under": "1507", "level": "county"})
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/areas/150702"
    assert [area["code"] for area in listed.json()["items"]] == ["150702"]


async def test_an_area_whose_parent_is_missing_is_refused_and_nothing_is_written(world: World) -> None:
    await world.container(service)
    async with world.client(world.app(service), ADMINISTRATOR) as client:
        orphan = {"code": "150702", "level": "county", "name": {"zh": "海拉尔区"}}
        refused = await client.post("/v1/areas", json=orphan, headers=keyed())
        looked = await client.get("/v1/areas/150702")
    assert (refused.status_code, refused.json()["code"]) == (422, "above-missing")
    assert looked.status_code == 404


async def test_a_key_that_added_one_area_is_refused_for_another(members: Members) -> None:
    key, body = keyed(), {"code": "150703", "level": "county", "name": {"zh": "扎赉诺尔区"}}
    async with members.client(ADMINISTRATOR) as client:
        first, again = [await client.post("/v1/areas", json=body, headers=key) for _ in range(2)]
        other = await client.post("/v1/areas", json={**body, "code": "150721"}, headers=key)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (201, first.json(), first.headers["ETag"])
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_a_renamed_area_answers_with_its_new_name(members: Members) -> None:
    named, again = [await members.put(ADMINISTRATOR, f"/v1/areas/{FAR_COMMUNITY}/name", NAMED) for _ in range(2)]
    assert (named.status_code, named.json()) == (200, named.json() | NAMED)
    assert again.headers["ETag"] == named.headers["ETag"], "the same name again is no change"
    assert (await members.get(None, f"/v1/areas/{FAR_COMMUNITY}")).json() == named.json()


async def test_an_area_is_renamed_by_the_administrators_of_its_place_only(members: Members) -> None:
    for actor, code in ((COUNTY_ADMINISTRATOR, "outside-your-places"), (DISPATCHER, "forbidden")):
        refused = await members.put(actor, f"/v1/areas/{FAR_COMMUNITY}/name", NAMED)
        assert (refused.status_code, refused.json()["code"]) == (403, code)


@pytest.mark.parametrize("body", [{}, {"name": "东山"}, {"name": {"zh": ""}}, {**NAMED, "level": "city"}])
async def test_a_name_that_is_none_is_refused(members: Members, body: object) -> None:
    refused = await members.put(ADMINISTRATOR, f"/v1/areas/{FAR_COMMUNITY}/name", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


async def test_an_area_is_closed_by_the_administrators_of_its_place_only(members: Members) -> None:
    refused = await members.post(COUNTY_ADMINISTRATOR, f"/v1/areas/{FAR_COMMUNITY}/close", {"reason": "dissolved"})
    assert (refused.status_code, refused.json()["code"]) == (403, "outside-your-places")


@pytest.mark.parametrize("closed", [FAR_COMMUNITY, FAR_STREET, FAR_COUNTY])
async def test_nothing_is_founded_in_a_closed_area_nor_in_what_lies_in_it(members: Members, closed: str) -> None:
    await members.post(ADMINISTRATOR, f"/v1/areas/{closed}/close", {"reason": "merged"})
    grid = {"code": f"{FAR_COMMUNITY}-01", "level": "grid", "name": {"zh": "第一网格"}}
    below = await members.post(ADMINISTRATOR, "/v1/areas", grid)
    assert (below.status_code, below.json()["code"]) == (422, "above-missing")
    station = {"kind": "station", "name": {"zh": "东山社区服务站"}, "area": FAR_COMMUNITY}
    refused = await members.post(ADMINISTRATOR, "/v1/organisations", station)
    assert (refused.status_code, refused.json()["code"]) == (422, "area-not-open")


@pytest.mark.parametrize("code", ["15070", "1507020", "150702001001-1", "１５０７", "150702001-01"])
async def test_a_code_of_no_level_is_no_code(members: Members, code: str) -> None:
    body = {"code": code, "level": "county", "name": {"zh": "某区"}}
    refused = await members.post(ADMINISTRATOR, "/v1/areas", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert (await members.get(None, "/v1/areas", under=code)).status_code == 422


def test_a_code_is_its_own_path() -> None:
    whole = ("1507", "150702", "150702001", "150702001001", "150702001001-01")
    assert [path(code) for code in whole] == [whole[: depth + 1] for depth in range(5)]
    assert [enclosing(whole[-1], level) for level in Level] == list(whole)
    assert [include_a_city(places) for places in ((), whole[1:], whole)] == [False, False, True]
