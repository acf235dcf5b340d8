"""The one file with a driver: what is promised whatever the URI says, what is asked in one go, what waiting mends."""

import asyncio

import pytest
from pymongo.errors import OperationFailure

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.errors import DatabaseRefused
from services.chassis.storage.mongo import New, Put, connect
from services.chassis.usecase import Container
from tests.support.world import World

BARE = "mongodb://127.0.0.1:1/linli"


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_what_a_uri_leaves_out_is_durable_and_does_not_wait_for_ever(driver: str) -> None:
    mongo = connect(BARE, driver)
    assert mongo._database.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    assert mongo._database.read_concern.level == "majority"
    options = mongo._client.options
    assert (options.server_selection_timeout, options.pool_options.socket_timeout) == (5.0, 10.0)
    assert options.pool_options.connect_timeout == 3.0
    assert (options.pool_options.max_pool_size, options.pool_options.wait_queue_timeout) == (64, 5.0)
    await mongo.close()


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_what_a_uri_says_counts(driver: str) -> None:
    mongo = connect(f"{BARE}?w=1&journal=false&readconcernlevel=local&socketTimeoutMS=70", driver)
    assert mongo._database.write_concern.document == {"w": 1, "j": False, "wtimeout": 5000}
    assert mongo._database.read_concern.level == "local"
    assert mongo._client.options.pool_options.socket_timeout == 0.07
    await mongo.close()


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_waiting_too_long_for_a_connection_is_unavailable(world: World, driver: str) -> None:
    uri = world.settings().database("members")
    mongo = connect(f"{uri}{'&' if '?' in uri else '?'}maxPoolSize=2&waitQueueTimeoutMS=50", driver)
    await mongo.insert("jars", {"_id": "jar"})
    slow = (mongo.find_one("jars", {"$where": "sleep(600) || true"}) for _ in range(6))
    answers = await asyncio.gather(*slow, return_exceptions=True)
    assert answers.count({"_id": "jar"}) >= 2
    refused = [answer for answer in answers if answer != {"_id": "jar"}]
    assert refused
    assert all(isinstance(answer, Unavailable) and answer.retry_after for answer in refused)
    assert await asyncio.gather(*(mongo.find_one("jars", {}) for _ in range(2))) == [{"_id": "jar"}] * 2
    await mongo.close()


async def test_what_is_asked_for_at_once_comes_in_one_round_trip(either: Container) -> None:
    await either.mongo.bulk("jars", [New({"_id": f"jar_{n:03}"}) for n in range(300)])
    await either.mongo.command("profile", 2)
    assert len(await either.mongo.find("jars", {}, sort=[("_id", 1)], limit=250)) == 250
    assert [len(batch) async for batch in either.mongo.each("jars", {})] == [200, 100]
    assert len(await either.mongo.aggregate("jars", [{"$sort": {"_id": 1}}], 300)) == 300
    await either.mongo.command("profile", 0)
    assert await either.mongo.count("system.profile", {"op": {"$in": ["query", "command"]}}, limit=99) > 0
    assert await either.mongo.count("system.profile", {"op": "getmore"}, limit=99) == 0


@pytest.mark.parametrize("code", [43, 134, 262])
async def test_an_error_that_passes_is_no_bug(shop: Container, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise OperationFailure("not now", code)

    monkeypatch.setattr(type(shop.mongo._database["jars"]), "find_one", refuse)
    with pytest.raises(Unavailable):
        await shop.mongo.find_one("jars", {})


async def test_what_the_database_refuses_is_reported_by_its_code_and_not_by_its_text(either: Container) -> None:
    canary = "13800000000"
    with pytest.raises(DatabaseRefused) as refused:
        await either.mongo.find("jars", {"label": {"$nonsense": canary}}, limit=1)
    assert str(refused.value) == "OperationFailure 2"
    poor = Put({"_id": "a"}, {"$set": {"label": canary, "label.part": canary}}, upsert=True)
    with pytest.raises(DatabaseRefused) as refused:
        await either.mongo.bulk("jars", [poor, New({"_id": "b"})])
    assert str(refused.value) == "jars: [40]"
    assert await either.mongo.find_one("jars", {}) == {"_id": "b"}
