"""Old shapes are parse_upcast wherever they are read; one that is newer than this process is never guessed at."""

from collections.abc import AsyncIterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.chassis.domain.events import Origin, Recorded, SchemaTooNew, decode
from services.chassis.domain.refusals import Kind
from services.chassis.domain.values import now
from services.chassis.messaging.retry import is_transient
from services.chassis.storage import archive
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.reading import consume, expect_right
from tests.support.road import Road, running, until
from tests.support.toy import CoinDropped, DropCoin, Jar
from tests.support.world import World, keyed


@pytest.fixture
async def client(world: World, shop: Container) -> AsyncIterator[httpx.AsyncClient]:
    """The keeper at the shop."""
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        yield client


def tenfold(cls: type[CoinDropped], schema: int, data: dict[str, Any]) -> dict[str, Any]:
    """As if coins had been counted in tens at first."""
    assert schema == 1
    return {**data, "coins": data["coins"] * 10}


@contextmanager
def newer() -> Any:
    """A process of the next version, in which coins have their second shape."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoinDropped, "schema_version", 2)
        patch.setattr(CoinDropped, "upcast", classmethod(tenfold))
        yield


async def drop(container: Container, jar: Jar, coins: int, cause: str = "") -> Jar:
    ctx = container.context(toy.KEEPER, cause or f"drop {coins}")
    return await toy.drop_coin(ctx, jar.id, DropCoin(coins=coins))


async def opened(container: Container) -> Jar:
    return await toy.open_jar(container.context(toy.KEEPER, "open"), toy.OpenJar(label="plums"))


def test_only_what_has_another_shape_is_lifted() -> None:
    with newer():
        assert CoinDropped.parse_upcast(1, {"coins": 3}).coins == 30
        assert CoinDropped.parse_upcast(2, {"coins": 3}).coins == 3
    assert CoinDropped.parse_upcast(1, {"coins": 3, "colour": "red"}).coins == 3
    with pytest.raises(SchemaTooNew, match="schema=2, known=1"):
        CoinDropped.parse_upcast(2, {"coins": 3})


async def test_an_old_history_is_folded_in_todays_shape_and_its_chain_holds(shop: Container) -> None:
    jar = await opened(shop)
    for coins in range(1, 9):
        await drop(shop, jar, coins)
    await shop.mongo.update("jars", {"_id": jar.id}, {"$set": {"published": 9}})
    await archive.trim(shop.mongo, "jars", jar.id, 5)  # so that it is parse_upcast out of the archive too
    with newer():
        assert (await drop(shop, jar, 100)).total == sum(range(1, 9)) + 100
        left = await drop(shop, jar, 7)  # a repeat
        assert (left.version, left.total) == (8, 10 * sum(range(1, 8)))
        history = await shop.context(toy.KEEPER, "look").store.history(Jar, jar.id)
        assert [event.schema for event in history] == [1] * 9 + [2]


async def test_an_older_process_does_not_write_over_what_a_newer_one_made(
    client: httpx.AsyncClient, shop: Container
) -> None:
    jar, other = [await client.post("/v1/jars", json={"label": "a"}, headers=keyed()) for _ in range(2)]
    step = keyed()
    with newer():
        made = await client.post(f"{jar.headers['Location']}/coins", json={"coins": 3}, headers=step)
    before = await shop.mongo.find_one("jars", {"_id": jar.json()["id"]})
    for key in (keyed(), step):  # a new command, and a repeat of what the newer process did
        refused = await client.post(f"{jar.headers['Location']}/coins", json={"coins": 3}, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (503, "schema-too-new")
        assert int(refused.headers["Retry-After"]) > 0
    assert await shop.mongo.find_one("jars", {"_id": jar.json()["id"]}) == before
    assert (await client.get(jar.headers["Location"])).json()["total"] == 3
    assert (await client.post(f"{other.headers['Location']}/coins", json={}, headers=keyed())).status_code == 200
    with newer():
        again = await client.post(f"{jar.headers['Location']}/coins", json={"coins": 3}, headers=step)
        assert (again.status_code, again.content) == (200, made.content)


async def test_what_a_newer_process_only_added_is_in_nobodys_way(shop: Container) -> None:
    jar = await opened(shop)
    await drop(shop, jar, 2)
    added = {"history.1.mood": "merry", "history.1.data.colour": "red", "state.colour": "red", "shapes.JarOpened": 1}
    await shop.mongo.update("jars", {"_id": jar.id}, {"$set": added})
    assert (await drop(shop, jar, 3)).total == 5
    assert (await drop(shop, jar, 2)).version == 2


def test_an_unknown_event_is_distinguished_from_a_wrong_one() -> None:
    origin = Origin(now(), "keeper", "hulunbuir", "c1", None, None)
    known = Recorded.of(CoinDropped(coins=1), "jar_1", 1, origin, "")
    unknown = replace(known, type="linli.members.JarSmashed")
    with pytest.raises(SchemaTooNew, match=r"schema-too-new .*known=0") as refused:
        decode(Jar.events, unknown)
    assert refused.value.kind is Kind.OUTDATED
    assert not is_transient(refused.value), "it is parked: waiting for a deployment could take for ever"


async def test_a_record_of_a_newer_shape_is_parked_until_the_consumer_knows_it(road: Road) -> None:
    jar, other = await road.jar(1), await road.jar(1)
    with newer():
        await road.drop(jar, 5)
    await road.drop(other, 6)
    await road.publish()
    await consume(road)
    parked = await road.hall.mongo.find("parked", {}, limit=99)
    assert {p["entity"] for p in parked} == {jar.id}
    assert all("schema-too-new" in p["reason"] for p in parked)
    await expect_right(road, other)
    for one in parked:
        await road.hall.mongo.update("parked", {"_id": one["_id"]}, {"$set": {"replay": True}})

    async def none_parked() -> bool:
        return not await road.parked()

    with newer():
        async with running(await road.consumer()):  # the same member, started anew
            await until(none_parked)
    await expect_right(road, jar)


async def test_a_copy_and_a_reaction_read_old_records_in_todays_shape(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    with newer():
        await consume(road)
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    assert copy is not None
    assert copy["state"]["total"] == 10 + 20
    assert await road.notes(jar) == [10, 20]
    assert (await road.sum(jar)).total == 30
    young = await road.jar(4)
    await road.publish()
    await consume(road)
    await expect_right(road, young)
