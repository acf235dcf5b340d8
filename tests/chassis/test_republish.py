"""Republishing: what was published comes again, all of it, in order, and nothing else."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.chassis.messaging.kafka import BrokerAway
from services.chassis.messaging.key_sending import KeySender
from services.chassis.messaging.outgoing import Address
from services.chassis.operations import republish as operation
from services.chassis.operations.answering import quietly
from services.chassis.operations.protocol import RepublishRequest
from services.chassis.operations.republish import LeaseLost, Republish
from services.chassis.storage.leases import Lease
from tests.support import toy
from tests.support.reading import consume, expect_right
from tests.support.road import SOURCE, Road, until
from tests.support.toy import Jar


async def republish(road: Road, **asked: Any) -> dict[str, Any]:
    """What the shop answers."""
    request = RepublishRequest(**asked)
    return dict((await operation.republish(toy.shop, road.world.settings(), request, quietly)).document())


async def lose(road: Road) -> None:
    """The topic is no more."""
    admin = AIOKafkaAdminClient(bootstrap_servers=road.world.kafka)
    await admin.start()
    await admin.delete_topics([road.topic])

    async def gone() -> bool:
        return road.topic not in await admin.list_topics()

    await until(gone)
    await admin.close()


async def long_jars(road: Road, count: int = 3) -> list[Jar]:
    """Jars most of whose events are in the archive, and one of them private."""
    jars = [await road.jar(*range(4)) for _ in range(count)]
    with suppress(toy.Guessed):
        await toy.guess_total(road.doing("guess"), jars[0].id, toy.GuessTotal(total=99))
    for jar in jars:
        for coins in range(5):
            await road.drop(jar, coins)
    return jars


async def test_after_a_topic_was_lost_a_fresh_group_gets_all_in_order_with_what_is_new_behind_it(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.operations.republish._EVENTS", 4)
    monkeypatch.setattr("services.chassis.operations.republish._LAST_ROUND_SECONDS", 0.5)
    jars = await long_jars(road)
    await road.publish()
    await lose(road)
    lease = Lease(road.shop.mongo, "relay", "shop-0", 0.6)
    relaying = asyncio.create_task(road.relay().run(lease, road.shop.changes))
    await until(lease.acquire)

    async def live() -> None:
        for coins in range(20):
            for jar in jars:
                await road.drop(jar, coins)

    sending = asyncio.create_task(republish(road, lost=True, write=True))

    async def rests() -> bool:
        return not await lease.acquire()

    await until(rests)
    await live()
    result = await sending
    assert (result["entities"], result["events"], result["sent"], result["left_out"]) == (3, 30, 30, 0)

    async def all_out() -> bool:
        return not await road.shop.mongo.count("jars", {"pending": {"$exists": True}}, 9)

    await until(all_out)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert await road.check_topic() == 0
    await consume(road, group="fresh")
    await expect_right(road, *jars)


async def test_it_is_only_shown_without_a_yes(road: Road) -> None:
    await long_jars(road)
    await road.publish()
    before = len(await road.records())
    result = await republish(road)
    assert (result["dry_run"], result["entities"], result["events"], result["sent"]) == (True, 3, 30, 0)
    assert len(await road.records()) == before


async def test_one_entity_or_a_kind_or_a_time_is_sent_and_what_was_seen_has_no_effect_again(road: Road) -> None:
    jars = await long_jars(road, 2)
    await road.publish()
    await consume(road)
    await road.drop(jars[0], 50)  # not published yet: that is the relay's
    result = await republish(road, entity=jars[0].id, write=True)
    assert (result["entities"], result["sent"]) == (1, 10)
    at = [e["at"] for jar in jars for e in await road.history(await document(road, jar)) if e["published"]][:20]
    since, until = sorted(at)[5], sorted(at)[15]
    within = sum(since <= one < until for one in at)
    assert (await republish(road, kind="jar", since=since, until=until, write=True))["sent"] == within > 0
    assert (await republish(road, kind="plum", write=True))["sent"] == 0
    await road.publish()
    assert await road.check_topic() == 10 + within
    await consume(road)
    await expect_right(road, *jars)


async def document(road: Road, jar: Jar) -> dict[str, Any]:
    """A jar as it is stored."""
    found = await road.shop.mongo.find_one("jars", {"_id": jar.id})
    assert found is not None
    return found


async def test_an_entity_whose_history_has_a_hole_is_left_out_and_named(road: Road) -> None:
    sick, _ = await long_jars(road, 2)
    await road.publish()
    await road.shop.mongo.delete("jars_archive", {"_id": f"{sick.id}:3"})
    result = await republish(road, write=True)
    assert (result["entities"], result["left_out"]) == (1, 1)
    assert sick.id in result["examples"][0]
    assert len(await road.records()) == 20 + 10


def of_shop(road: Road) -> Republish:
    return Republish(road.shop.mongo, toy.shop.entities, RepublishRequest(), quietly)


def no_keys(road: Road) -> KeySender:
    return KeySender(road.shop.mongo, road.publisher(), road.world.settings().topic("keys"), mints=False)


async def test_who_has_lost_the_lease_sends_nothing_more(road: Road) -> None:
    await long_jars(road)
    await road.publish()
    before = len(await road.records())
    lease = Lease(road.shop.mongo, "relay", "members-republish", 0.2)
    assert await lease.seize() is False
    assert await Lease(road.shop.mongo, "relay", "shop-0", 30).seize() is True
    await asyncio.sleep(0.2)
    with pytest.raises(LeaseLost):
        await of_shop(road).send(road.publisher(), Address(road.topic, SOURCE), no_keys(road), lease)
    assert len(await road.records()) == before


async def test_a_broker_that_goes_away_on_the_way_is_reported_and_a_repeat_sends_all(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.operations.republish._EVENTS", 4)
    jars = await long_jars(road)
    await road.publish()
    publisher, sent = road.publisher(), [0]
    send = publisher.send

    async def fails_later(records: Sequence[Any]) -> list[BaseException | None]:
        sent[0] += 1
        if sent[0] == 3:
            return [*(await send(records[:-1])), BrokerAway("not in sync")]
        return await send(records)

    monkeypatch.setattr(publisher, "send", fails_later)
    with pytest.raises(BrokerAway, match="after 11 events"):
        await of_shop(road).send(publisher, Address(road.topic, SOURCE), no_keys(road))
    assert (await of_shop(road).send(publisher, Address(road.topic, SOURCE), no_keys(road))).sent == 30
    assert await road.check_topic() == 41
    await consume(road)
    await expect_right(road, *jars)
