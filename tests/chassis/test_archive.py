"""Long lives: what a document no longer keeps stands in the archive, and every promise holds across both."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.storage import archive
from services.chassis.storage.archive import Gap
from services.chassis.storage.store import Store
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.road import Road
from tests.support.toy import CoinDropped, DropCoin, GuessTotal, Jar
from tests.support.world import World, keyed

CAP = 5


@pytest.fixture
async def client(world: World, road: Road) -> AsyncIterator[httpx.AsyncClient]:
    """The keeper at the shop of the road."""
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        yield client


async def kept(container: Container, id: str) -> dict[str, Any]:
    document = await container.mongo.find_one("jars", {"_id": id})
    assert document is not None
    return document


async def versions(container: Container, id: str) -> tuple[list[int], list[int]]:
    """(in the document, in the archive)."""
    found = await container.mongo.find("jars_archive", {"entity": id}, limit=1000)
    return [e["version"] for e in (await kept(container, id))["history"]], sorted(e["version"] for e in found)


async def a_long_life(container: Container, events: int, published: int | None = None) -> Jar:
    """A jar to which so much has happened, and of which so much is published."""
    jar = await toy.open_jar(container.context(toy.KEEPER, "open"), toy.OpenJar(label="plums", size=10**9))
    for number in range(2, events + 1):
        jar = await drop(container, jar, number)
    done = events if published is None else published
    await container.mongo.update("jars", {"_id": jar.id}, {"$set": {"published": done}})
    return jar


async def drop(container: Container, jar: Jar, number: int) -> Jar:
    return await toy.drop_coin(container.context(toy.KEEPER, f"drop {number}"), jar.id, DropCoin(coins=number))


async def trimmed(container: Container, events: int, **more: int) -> Jar:
    jar = await a_long_life(container, events, **more)
    await archive.trim(container.mongo, "jars", jar.id, CAP)
    return jar


def outcome(answer: httpx.Response) -> tuple[int, str | None, str | None, bytes]:
    """All that a repeat must give again."""
    return answer.status_code, answer.headers.get("Location"), answer.headers.get("ETag"), answer.content


async def test_over_the_cap_the_oldest_events_leave_and_half_of_the_cap_stays(either: Container) -> None:
    at_the_cap = await trimmed(either, CAP)
    assert await versions(either, at_the_cap.id) == ([1, 2, 3, 4, 5], [])
    await drop(either, at_the_cap, 6)
    await either.mongo.update("jars", {"_id": at_the_cap.id}, {"$set": {"published": 6}})
    assert await archive.trim(either.mongo, "jars", at_the_cap.id, CAP) == 4
    document = await kept(either, at_the_cap.id)
    assert await versions(either, at_the_cap.id) == ([5, 6], [1, 2, 3, 4])
    assert (document["version"], document["archived"], document["state"]["total"]) == (6, 4, 2 + 3 + 4 + 5 + 6)


async def test_what_is_not_published_never_leaves(shop: Container) -> None:
    jar = await trimmed(shop, 9, published=3)
    assert await versions(shop, jar.id) == ([4, 5, 6, 7, 8, 9], [1, 2, 3])
    unpublished = await a_long_life(shop, 9, published=3)
    assert unpublished.id == jar.id, "the same cause"
    await archive.pull(shop.mongo, "jars", jar.id, 9)
    assert (await versions(shop, jar.id))[0] == [4, 5, 6, 7, 8, 9]


async def test_a_relay_trims_what_it_has_marked_and_the_topic_is_whole(road: Road) -> None:
    long, short = await road.jar(*range(1, 12)), await road.jar(1)
    await road.publish()
    assert await versions(road.shop, long.id) == ([11, 12], list(range(1, 11)))
    assert await versions(road.shop, short.id) == ([1, 2], [])
    for coins in range(3):
        await road.drop(long, coins)
    await road.publish()
    assert await road.check_topic() == 0


async def test_a_writer_in_between_meets_no_conflict(shop: Container) -> None:
    jar = await a_long_life(shop, 9)
    store = Store(shop.mongo, toy.KEEPER, Origin(now(), "keeper", "x", "c1", None, None))
    async with store.change(Jar, jar.id) as loaded:
        await archive.trim(shop.mongo, "jars", jar.id, CAP)
        loaded.record(CoinDropped(coins=2))
    assert await versions(shop, jar.id) == ([8, 9, 10], [1, 2, 3, 4, 5, 6, 7])


async def test_a_crash_between_copy_and_pull_shows_nothing_twice_and_is_repaired_by_the_next_trim(
    either: Container,
) -> None:
    jar = await a_long_life(either, 9)
    oldest = archive.surplus(await kept(either, jar.id), CAP)
    await archive.copy(either.mongo, "jars", jar.id, oldest)
    assert await versions(either, jar.id) == (list(range(1, 10)), list(range(1, 8)))
    assert await seen(either, jar) == list(range(1, 10))
    assert (await drop(either, jar, 3)).total == 2 + 3
    assert await archive.trim(either.mongo, "jars", jar.id, CAP) == 7
    assert await versions(either, jar.id) == ([8, 9], list(range(1, 8)))
    assert await seen(either, jar) == list(range(1, 10))


async def seen(container: Container, jar: Jar) -> list[int]:
    """The versions in its whole history, as use cases read it."""
    return [event.version for event in await container.context(toy.KEEPER, "look").store.history(Jar, jar.id)]


async def test_an_archived_version_is_answered_as_it_was_left(either: Container) -> None:
    jar = await trimmed(either, 250)  # more than are read at once
    for number in (2, 199, 200, 201, 247, 248, 250):
        left = await drop(either, jar, number)
        assert (left.version, left.total) == (number, sum(range(2, number + 1)))
    assert (await kept(either, jar.id))["version"] == 250


async def test_every_command_of_an_archived_life_is_answered_the_same(client: httpx.AsyncClient, road: Road) -> None:
    opening = keyed()
    answers = [await client.post("/v1/jars", json={"label": "plums"}, headers=opening)]
    jar = answers[0].headers["Location"]
    guess: dict[str, Any] = {"total": 1}
    steps = [(f"{jar}/guesses", guess, keyed()), *((f"{jar}/coins", {"coins": n}, keyed()) for n in range(1, 12))]
    answers += [await client.post(path, json=body, headers=key) for path, body, key in steps]
    steps.insert(0, ("/v1/jars", {"label": "plums"}, opening))
    await road.publish()
    assert (await kept(road.shop, answers[0].json()["id"]))["archived"] == 11
    for (path, body, key), answer in zip(steps, answers, strict=True):
        assert outcome(await client.post(path, json=body, headers=key)) == outcome(answer)
        other = {**body, next(iter(body)): "figs" if "label" in body else 999}
        refused = await client.post(path, json=other, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "key-reused")
    assert [answer.status_code for answer in answers] == [201, 409, *[200] * 11]
    assert (await client.get(jar)).json()["total"] == sum(range(1, 12))


async def test_twins_of_an_archived_command_are_answered_the_same(client: httpx.AsyncClient, road: Road) -> None:
    jar, key = (await client.post("/v1/jars", json={"label": "a"}, headers=keyed())).headers["Location"], keyed()
    first = await client.post(f"{jar}/coins", json={"coins": 3}, headers=key)
    for _ in range(6):
        await client.post(f"{jar}/coins", json={"coins": 1}, headers=keyed())
    await road.publish()
    twins = await asyncio.gather(*(client.post(f"{jar}/coins", json={"coins": 3}, headers=key) for _ in range(5)))
    assert {outcome(answer) for answer in twins} == {outcome(first)}
    assert (await client.get(jar)).json()["total"] == 9


async def test_who_lost_sight_of_it_may_repeat_what_is_archived_and_nothing_else(
    client: httpx.AsyncClient, road: Road
) -> None:
    opened = await client.post("/v1/jars", json={"label": "a"}, headers=keyed())
    jar, moving = opened.headers["Location"], keyed()
    for _ in range(5):
        await client.post(f"{jar}/coins", json={"coins": 1}, headers=keyed())
    moved = await client.put(f"{jar}/keeper", json={"keeper": "other"}, headers=moving)
    for number in range(4):
        ctx = road.shop.context(toy.OTHER, f"other {number}")
        await toy.drop_coin(ctx, opened.json()["id"], DropCoin(coins=1))
    await road.publish()
    assert moved.headers["ETag"] == '"7"'
    assert (await kept(road.shop, opened.json()["id"]))["archived"] > 7
    assert outcome(await client.put(f"{jar}/keeper", json={"keeper": "other"}, headers=moving)) == outcome(moved)
    assert (await client.put(f"{jar}/keeper", json={"keeper": "me"}, headers=moving)).status_code == 422
    assert (await client.post(f"{jar}/coins", json={}, headers=keyed())).status_code == 404


async def test_a_write_of_two_events_across_the_edge_is_known_by_either(shop: Container) -> None:
    jar = await a_long_life(shop, 4)
    async with shop.context(toy.KEEPER, "both", within=visible).store.change(Jar, jar.id) as loaded:
        loaded.record(CoinDropped(coins=1))
        loaded.record(CoinDropped(coins=1))
    await shop.mongo.update("jars", {"_id": jar.id}, {"$set": {"published": 5}})
    await archive.trim(shop.mongo, "jars", jar.id, 4)
    await archive.copy(shop.mongo, "jars", jar.id, (await kept(shop, jar.id))["history"][:1])
    assert (await shop.context(toy.KEEPER, "both").store.as_left(Jar, jar.id)).version == 6


async def test_relays_that_trim_at_once_while_others_write_and_repeat_lose_nothing(road: Road) -> None:
    jars = [await road.jar() for _ in range(2)]
    relays, done = [road.relay(), road.relay()], asyncio.Event()

    async def work(number: int) -> None:
        while not done.is_set():
            await relays[number].round()
        await road.publish(relays[number])

    async def live(jar: Jar) -> None:
        for number in range(40):
            await drop(road.shop, jar, number)
            again = await drop(road.shop, jar, number // 2)  # in the document, in the archive, or on its way
            assert again.total == sum(range(number // 2 + 1))

    working = [asyncio.create_task(work(number)) for number in (0, 1)]
    await asyncio.gather(*(live(jar) for jar in jars))
    done.set()
    await asyncio.gather(*working)
    await road.check_topic()
    for jar in jars:
        in_document, archived = await versions(road.shop, jar.id)
        assert [*archived, *in_document] == list(range(1, 42))
        assert len(in_document) <= CAP
        assert (await kept(road.shop, jar.id))["state"]["total"] == sum(range(40))


async def test_a_history_that_does_not_follow_its_archive_is_set_aside_and_the_others_continue(road: Road) -> None:
    broken, whole = await road.jar(*range(9)), await road.jar(*range(9))
    await road.shop.mongo.update("jars", {"_id": broken.id}, {"$set": {"archived": 3}})
    await road.publish()
    assert "archived 3, then has [1, 2" in (await kept(road.shop, broken.id))["stuck"]
    assert len((await kept(road.shop, broken.id))["history"]) == 10
    assert await versions(road.shop, whole.id) == ([9, 10], list(range(1, 9)))


async def test_a_life_of_which_a_part_is_lost_is_not_answered_from_the_rest(shop: Container) -> None:
    jar = await trimmed(shop, 9)
    await shop.mongo.delete("jars_archive", {"_id": f"{jar.id}:3"})
    with pytest.raises(Gap, match="linli verify"):
        await drop(shop, jar, 4)
    assert (await drop(shop, jar, 10)).version == 10


async def test_a_wrong_guess_stays_refused_when_it_is_archived(shop: Container) -> None:
    jar = await a_long_life(shop, 3)
    for _ in range(2):
        with pytest.raises(toy.Guessed, match="1"):
            await toy.guess_total(shop.context(toy.KEEPER, "guess"), jar.id, GuessTotal(total=77))
        for number in range(5, 9):
            await drop(shop, jar, number)
        await shop.mongo.update("jars", {"_id": jar.id}, [{"$set": {"published": "$version"}}])
        await archive.trim(shop.mongo, "jars", jar.id, CAP)
    assert (await kept(shop, jar.id))["archived"] == 6
