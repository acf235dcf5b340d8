"""HTTP as others expect it: preconditions, addresses, methods."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support import toy
from tests.support.world import World, keyed


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    container = await world.container(toy.shop)
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        yield client
    await container.mongo.close()


async def test_of_several_versions_in_if_match_one_must_be_the_present_one(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json={"label": "a"}, headers=keyed())).headers["Location"]
    stale = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": '"7", W/"8"'}))
    assert (stale.status_code, stale.json()["params"]) == (412, {"given": 8, "current": 1})
    wrong = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": '"1", seven'}))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
    taken = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": '"7", W/"1"'}))
    assert (taken.status_code, taken.headers["Vary"]) == (200, "Accept-Language")


async def test_a_slash_at_the_end_is_another_address_and_no_redirect_is_built_of_the_host(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/v1/jars/", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (404, "address-unknown")
    assert "Location" not in answer.headers


async def test_what_can_be_read_can_be_asked_for_by_head(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json={"label": "a"}, headers=keyed())).headers["Location"]
    for path in (jar, "/v1/jars"):
        asked, read = await client.head(path), await client.get(path)
        assert (asked.status_code, asked.headers) == (200, read.headers)
    assert (await client.head("/v1/jars/jar_none")).status_code == 404
    assert (await client.head(f"{jar}/coins")).status_code == 405


async def test_pages_of_the_named_origins_may_call_the_api_and_no_others(world: World) -> None:
    container = await world.container(toy.shop)
    app = world.app(toy.shop, cors_origins="https://city.example/, https://other.example")
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Idempotency-Key, If-Match"}
    async with world.client(app, toy.KEEPER) as client:
        for origin, allowed in (("https://city.example", True), ("https://evil.example", False)):
            before = await client.options("/v1/jars", headers={"Origin": origin, **asking})
            answer = await client.get("/v1/jars", headers={"Origin": origin})
            assert (before.status_code, answer.status_code) == (200 if allowed else 400, 200)
            said = {each.headers.get("access-control-allow-origin") for each in (before, answer)}
            assert said == ({origin} if allowed else {None})
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        assert (
            await client.options("/v1/jars", headers={"Origin": "https://city.example", **asking})
        ).status_code == 405
    await container.mongo.close()
