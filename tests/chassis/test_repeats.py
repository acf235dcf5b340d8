"""The same request again: the same answer, and never a second effect."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.chassis.usecase import Container
from tests.support import toy
from tests.support.world import World, keyed

JAR = {"label": "plums"}


@pytest.fixture(params=["motor", "pymongo"])
async def client(world: World, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    world.overrides["mongo_driver"] = request.param
    await world.container(toy.shop)
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        yield client


def outcome(answer: httpx.Response) -> tuple[int, str | None, str | None, bytes]:
    """All that a repeat must give again."""
    return answer.status_code, answer.headers.get("Location"), answer.headers.get("ETag"), answer.content


async def total(client: httpx.AsyncClient, jar: str) -> int:
    return int((await client.get(jar)).json()["total"])


async def test_a_repeat_gets_the_same_answer_and_makes_nothing_new(client: httpx.AsyncClient) -> None:
    key = keyed()
    first = await client.post("/v1/jars", json=JAR, headers=key)
    second = await client.post("/v1/jars", json=JAR, headers=key)
    assert outcome(first) == outcome(second)
    assert (first.status_code, first.headers["ETag"]) == (201, '"1"')
    assert first.headers["Location"] == f"/v1/jars/{first.json()['id']}"
    assert len((await client.get("/v1/jars")).json()["items"]) == 1


async def test_twins_at_the_same_instant_get_the_same_answer(client: httpx.AsyncClient) -> None:
    for _ in range(5):
        key = keyed()
        answers = await asyncio.gather(*(client.post("/v1/jars", json=JAR, headers=key) for _ in range(6)))
        assert len({outcome(answer) for answer in answers}) == 1
        jar, key = answers[0].headers["Location"], keyed()
        steps = await asyncio.gather(
            *(client.post(f"{jar}/coins", json={"coins": 3}, headers=key) for _ in range(6)),
            *(client.post(f"{jar}/coins", json={"coins": 1}, headers=keyed()) for _ in range(3)),
        )
        assert len({outcome(answer) for answer in steps[:6]}) == 1
        assert await total(client, jar) == 6


async def test_a_repeat_after_later_changes_is_answered_as_of_then(client: httpx.AsyncClient) -> None:
    opening, dropping = keyed(), keyed()
    opened = await client.post("/v1/jars", json=JAR, headers=opening)
    jar = opened.headers["Location"]
    dropped = await client.post(f"{jar}/coins", json={"coins": 3}, headers=dropping)
    for _ in range(2):
        await client.post(f"{jar}/coins", json={"coins": 10}, headers=keyed())
    assert outcome(await client.post("/v1/jars", json=JAR, headers=opening)) == outcome(opened)
    assert outcome(await client.post(f"{jar}/coins", json={"coins": 3}, headers=dropping)) == outcome(dropped)
    assert (dropped.json()["total"], dropped.headers["ETag"]) == (3, '"2"')
    assert await total(client, jar) == 23


async def test_the_same_key_with_another_payload_is_refused(client: httpx.AsyncClient) -> None:
    key = keyed()
    opened = await client.post("/v1/jars", json=JAR, headers=key)
    other = await client.post("/v1/jars", json={"label": "figs"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    jar = opened.headers["Location"]
    key = keyed()
    await client.post(f"{jar}/coins", json={"coins": 3}, headers=key)
    again = await client.post(f"{jar}/coins", json={"coins": 4}, headers=key)
    assert (again.status_code, await total(client, jar)) == (422, 3)


@pytest.mark.parametrize(
    "written",
    [
        b'{"size": 12, "label": "plums"}',
        b' {\n"label":"plums" ,"size":12.0}',
        b'{"label":"pl\\u0075ms","size":1.2e1}',
    ],
)
async def test_the_same_payload_written_in_another_way_is_a_repeat(client: httpx.AsyncClient, written: bytes) -> None:
    key = {**keyed(), "Content-Type": "application/json"}
    first = await client.post("/v1/jars", content=b'{"label":"plums","size":12}', headers=key)
    assert first.status_code == 201
    assert outcome(await client.post("/v1/jars", content=written, headers=key)) == outcome(first)


async def test_no_body_is_the_same_as_an_empty_one_where_both_may_be(client: httpx.AsyncClient) -> None:
    jar, key = (await client.post("/v1/jars", json=JAR, headers=keyed())).headers["Location"], keyed()
    first = await client.post(f"{jar}/coins", headers=key)
    assert first.status_code == 200
    assert outcome(await client.post(f"{jar}/coins", json={}, headers=key)) == outcome(first)


@pytest.mark.parametrize("written", [b'{"label":"figs","label":"plums"}', b'{"label":"a","more":{"b":1,"b":1}}'])
async def test_a_name_twice_in_one_object_is_refused_and_nothing_is_made(
    client: httpx.AsyncClient, written: bytes
) -> None:
    answer = await client.post("/v1/jars", content=written, headers={**keyed(), "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert (await client.get("/v1/jars")).json()["items"] == []


async def test_of_a_name_twice_it_is_said_which(client: httpx.AsyncClient) -> None:
    content, headers = b'{"label":"figs","label":"plums"}', {**keyed(), "Content-Type": "application/json"}
    problem = (await client.post("/v1/jars", content=content, headers=headers)).json()
    assert (problem["code"], "label" in problem["detail"]) == ("name-twice", True)


async def test_the_same_key_on_another_path_or_by_another_actor_is_another_request(
    client: httpx.AsyncClient, world: World
) -> None:
    key = keyed()
    mine = await client.post("/v1/jars", json=JAR, headers=key)
    jar = mine.headers["Location"]
    await client.post(f"{jar}/coins", json={}, headers=key)
    async with world.client(world.app(toy.shop), toy.OTHER) as other:
        theirs = await other.post("/v1/jars", json=JAR, headers=key)
    assert theirs.json()["id"] != mine.json()["id"]
    assert await total(client, jar) == 1


async def test_a_repeat_is_known_before_its_if_match_is_looked_at(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json=JAR, headers=keyed())).headers["Location"]
    step = keyed(**{"If-Match": '"1"'})
    first = await client.post(f"{jar}/coins", json={}, headers=step)
    assert outcome(await client.post(f"{jar}/coins", json={}, headers=step)) == outcome(first)
    stale = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": '"1"'}))
    assert (stale.status_code, stale.json()["code"], stale.json()["params"]) == (
        412,
        "stale",
        {"given": 1, "current": 2},
    )
    assert await total(client, jar) == 1


async def test_a_repeat_is_known_before_a_rule_can_refuse_it(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json={**JAR, "size": 5}, headers=keyed())).headers["Location"]
    key = keyed()
    first = await client.post(f"{jar}/coins", json={"coins": 5}, headers=key)
    full = await client.post(f"{jar}/coins", json={"coins": 5}, headers=keyed())
    assert (full.status_code, full.json()["code"]) == (409, "full")
    assert outcome(await client.post(f"{jar}/coins", json={"coins": 5}, headers=key)) == outcome(first)


async def test_who_lost_sight_of_it_may_repeat_but_not_continue(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json=JAR, headers=keyed())).headers["Location"]
    moving = keyed()
    moved = await client.put(f"{jar}/keeper", json={"keeper": "other"}, headers=moving)
    assert outcome(await client.put(f"{jar}/keeper", json={"keeper": "other"}, headers=moving)) == outcome(moved)
    gone = await client.post(f"{jar}/coins", json={}, headers=keyed())
    assert (gone.status_code, (await client.get(jar)).status_code) == (404, 404)


async def test_a_refusal_that_left_a_trace_is_refused_again_in_the_same_words(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json=JAR, headers=keyed())).headers["Location"]
    key = keyed()
    first = await client.post(f"{jar}/guesses", json={"total": 7}, headers=key)
    await client.post(f"{jar}/guesses", json={"total": 8}, headers=keyed())
    again = await client.post(f"{jar}/guesses", json={"total": 7}, headers=key)
    assert outcome(again) == outcome(first)
    assert (again.status_code, again.json()["params"]) == (409, {"times": 1})


async def test_a_life_repeated_at_every_step_is_the_same_life(client: httpx.AsyncClient) -> None:
    opening = keyed()
    answers = [await client.post("/v1/jars", json=JAR, headers=opening)]
    jar = answers[0].headers["Location"]
    steps: list[tuple[str, str, dict[str, object], dict[str, str]]] = [
        ("POST", f"{jar}/coins", {"coins": 3}, keyed()),
        ("POST", f"{jar}/guesses", {"total": 1}, keyed()),
        ("POST", f"{jar}/guesses", {"total": 3}, keyed()),
        ("POST", f"{jar}/coins", {"coins": 9}, keyed()),
        ("PUT", f"{jar}/keeper", {"keeper": "other"}, keyed()),
    ]
    done: list[tuple[str, str, dict[str, object], dict[str, str]]] = [("POST", "/v1/jars", {**JAR}, opening)]
    for step in steps:
        answers.append(await client.request(step[0], step[1], json=step[2], headers=step[3]))
        done.append(step)
        for (method, path, body, key), answer in zip(done, answers, strict=True):
            assert outcome(await client.request(method, path, json=body, headers=key)) == outcome(answer)
    assert [answer.status_code for answer in answers] == [201, 200, 409, 200, 200, 200]


async def test_a_repeat_in_another_process_meets_the_first(world: World, shop: Container) -> None:
    key = keyed()
    one, two = world.app(toy.shop), world.app(toy.shop, mongo_driver="pymongo")
    async with world.client(one, toy.KEEPER) as here, world.client(two, toy.KEEPER) as there:
        answers = await asyncio.gather(
            here.post("/v1/jars", json=JAR, headers=key), there.post("/v1/jars", json=JAR, headers=key)
        )
    assert outcome(answers[0]) == outcome(answers[1])
