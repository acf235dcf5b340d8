"""Areas: places with codes that say what they lie in."""

from services.chassis.domain.scope import Actor
from services.members.app import service
from tests.support.world import World, keyed

ADMINISTRATOR = Actor("admin", frozenset({"administrator"}), ("1507",))
CITY = {"code": "1507", "level": "city", "name": "呼伦贝尔市"}


async def test_an_area_is_added_below_one_that_is_there(world: World) -> None:
    await world.house(service)
    async with world.client(world.app(service), ADMINISTRATOR) as client:
        await client.post("/v1/areas", json=CITY, headers=keyed())
        county = {"code": "150702", "level": "county", "name": "海拉尔区", "name_en": "Hailar District"}
        made = await client.post("/v1/areas", json=county, headers=keyed())
        listed = await client.get("/v1/areas", params={"under": "1507", "level": "county"})
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/areas/150702"
    assert [area["code"] for area in listed.json()["items"]] == ["150702"]


async def test_an_area_whose_parent_is_missing_is_refused_and_nothing_is_written(world: World) -> None:
    await world.house(service)
    async with world.client(world.app(service), ADMINISTRATOR) as client:
        orphan = {"code": "150702", "level": "county", "name": "海拉尔区"}
        refused = await client.post("/v1/areas", json=orphan, headers=keyed())
        looked = await client.get("/v1/areas/150702")
    assert (refused.status_code, refused.json()["code"]) == (422, "above-missing")
    assert looked.status_code == 404
