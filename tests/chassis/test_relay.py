"""The relay: every event is published in order, despite crashes and a second relay."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from services.chassis.domain.values import now
from services.chassis.messaging.kafka import BrokerAway, Publisher
from services.chassis.messaging.relay import Relay
from services.chassis.storage.leases import Lease
from services.chassis.telemetry import metrics
from tests.support import toy
from tests.support.road import Road, until


class Killed(BaseException):
    """What a process that is killed would not get over."""


class Breathless(Publisher):
    """Is killed after it has sent, before it hears an answer."""

    async def _acknowledged(self, waiting: Mapping[int, Any]) -> dict[int, BaseException | None]:
        if waiting:
            raise Killed
        return {}


async def die(*_: Any) -> Any:
    raise Killed


def killed(relay: Relay, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    """Let a relay die at one point of its round."""
    if point == "before the send":
        monkeypatch.setattr(relay, "send", die)
    elif point == "before the mark":
        monkeypatch.setattr(relay, "mark", die)
    elif point == "after the mark":
        mark = relay.mark

        async def mark_and_die(*given: Any) -> None:
            await mark(*given)
            await die()

        monkeypatch.setattr(relay, "mark", mark_and_die)


POINTS = ["before the send", "before the acknowledgement", "before the mark", "after the mark"]


async def test_a_relay_killed_between_any_two_steps_loses_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    jars = [await road.jar(1, 2, 3) for _ in range(4)]
    doubled = {}
    for point in POINTS:
        kind = Breathless if point == "before the acknowledgement" else Publisher
        relay = road.relay(road.publisher(kind=kind))
        killed(relay, monkeypatch, point)
        with pytest.raises(Killed):
            await relay.round()
        for jar in jars[:2]:  # life goes on while no relay is there
            await road.drop(jar, 5)
        await road.publish()
        doubled[point] = await road.check_topic()
        for jar in jars:
            await road.drop(jar, 7)
    assert doubled["before the send"] == 0
    assert doubled["before the mark"] > 0
    assert doubled["after the mark"] == doubled["before the mark"]


async def test_two_relays_at_once_without_a_lease_lose_nothing(road: Road) -> None:
    jars = [await road.jar() for _ in range(6)]
    relays = [road.relay(), road.relay()]
    done = asyncio.Event()

    async def work(relay: Relay) -> None:
        while not done.is_set():
            await relay.round()
        await road.publish(relay)

    working = [asyncio.create_task(work(relay)) for relay in relays]
    for number in range(60):
        await road.drop(jars[number % 6], number)
    done.set()
    await asyncio.gather(*working)
    await road.check_topic()


async def test_what_is_written_between_read_and_mark_stays_pending(road: Road) -> None:
    jar = await road.jar(1)
    relay = road.relay()
    documents = await relay.read()
    published = await relay.send(documents)
    await road.drop(jar, 2)
    await relay.mark(documents, published)
    kept = await road.shop.mongo.find_one("jars", {"_id": jar.id})
    assert kept is not None
    assert (kept["published"], kept["version"], "pending" in kept) == (2, 3, True)
    await road.publish()
    await road.check_topic()


async def test_private_events_and_fields_stay_at_home(road: Road) -> None:
    jar = await toy.open_jar(road.doing(), toy.OpenJar(label="plums", secret="canary-secret"))
    with pytest.raises(toy.Guessed):
        await toy.guess_total(road.doing("guess"), jar.id, toy.GuessTotal(total=9))
    await road.drop(jar, 1)
    await road.publish()
    records = await road.records()
    assert [dict(r.headers)["ce_id"].decode() for r in records] == [f"{jar.id}:1", f"{jar.id}:3"]
    assert not any(b"canary" in part for r in records for part in (r.value, *(value for _, value in r.headers)))
    assert not any(name in ("cause", "fingerprint") for r in records for name, _ in r.headers)
    await road.check_topic()


async def test_an_event_is_a_cloud_event_in_binary_mode(road: Road) -> None:
    jar = await road.jar()
    await road.publish()
    record = (await road.records())[0]
    headers = {name: value.decode() for name, value in record.headers}
    assert record.key.decode() == jar.id
    assert headers["ce_specversion"] == "1.0"
    assert (headers["ce_id"], headers["ce_subject"]) == (f"{jar.id}:1", jar.id)
    assert (headers["ce_type"], headers["ce_source"]) == ("linli.support.JarOpened", "/linli/hulunbuir/members")
    assert (headers["content-type"], headers["ce_schema"]) == ("application/json", "1")


async def test_keys_go_out_before_the_events_that_need_them(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.messaging.key_sending._BATCH", 2)
    for number in range(7):
        await road.shop.vault.mint(f"person_{number}", now())
    async with road.doing("sealed").store.create(toy.Jar) as jar:
        owner = road.shop.vault.seal("Ann", "person_6", "owner")
        jar.record(toy.JarOpened(label="a", keeper="keeper", owner=owner))
    sent: list[str] = []

    class Noting(Publisher):
        async def send(self, records: Any) -> Any:
            outcomes = await super().send(records)
            sent.extend(record.key for record in records)
            return outcomes

    await road.relay(road.publisher(kind=Noting)).round()
    assert sent == [*(f"person_{number}" for number in range(7)), jar.id]
    keys = await road.records(road.world.settings().topic("keys"))
    assert len(keys) == 7
    assert not await road.shop.mongo.count("keys", {"pending": {"$exists": True}}, limit=9)


async def test_a_key_that_was_erased_while_an_older_relay_sent_it_goes_out_as_erased_last(road: Road) -> None:
    await road.shop.vault.mint("person_1", now())

    class Slow(Publisher):
        async def send(self, records: Any) -> Any:
            if records:
                await road.shop.mongo.update("keys", {"_id": "person_1"}, {"$set": {"wrapped": None, "pending": now()}})
                await road.publish()  # a newer relay
            return await super().send(records)

    await road.relay(road.publisher(kind=Slow)).round()
    await road.publish()
    sent = [record.value for record in await road.records(road.world.settings().topic("keys"))]
    assert [value is None for value in sent] == [True, False, True]
    assert not await road.shop.mongo.count("keys", {"pending": {"$exists": True}}, limit=9)


async def test_an_entity_that_cannot_be_sent_is_set_aside_and_the_others_continue(road: Road) -> None:
    big, small = await road.jar(1), await road.jar(1)
    fat = {"$set": {"history.0.data.label": "x" * 2_000_000}}  # near the broker's limit nothing may stop the rest
    await road.shop.mongo.update("jars", {"_id": big.id}, fat)
    relay = road.relay()
    for _ in range(4):
        await relay.round()
    await road.drop(small, 2)
    await relay.round()
    ids = [dict(record.headers)["ce_id"].decode() for record in await road.records()]
    assert ids == [f"{small.id}:{version}" for version in (1, 2, 3)]
    kept = await road.shop.mongo.find_one("jars", {"_id": big.id})
    assert kept is not None
    assert "MessageSizeTooLarge" in kept["stuck"] or "larger than" in kept["stuck"]
    assert (kept["published"], "pending" in kept) == (0, True)
    await road.relay().round()  # after a restart it is still told
    assert metrics.relay_stuck._value.get() == 1


async def test_a_history_with_a_gap_is_set_aside_and_the_others_continue(road: Road) -> None:
    broken, whole = await road.jar(1, 2), await road.jar(1)
    await road.shop.mongo.update("jars", {"_id": broken.id}, {"$pull": {"history": {"version": 2}}})
    await road.publish()
    assert {dict(r.headers)["ce_subject"].decode() for r in await road.records()} == {whole.id}
    kept = await road.shop.mongo.find_one("jars", {"_id": broken.id})
    assert kept is not None
    assert kept["stuck"].startswith(broken.id)


async def test_without_a_broker_commands_continue_and_all_arrive_later(road: Road) -> None:
    away = road.relay(road.publisher("127.0.0.1:1"))
    jars = [await road.jar(1) for _ in range(3)]
    for _ in range(5):
        with pytest.raises(BrokerAway):
            await away.round()
        for jar in jars:
            await road.drop(jar, 2)
    assert metrics.relay_pending._value.get() == 3
    assert metrics.relay_oldest._value.get() > 0
    assert not await road.shop.mongo.count("jars", {"stuck": {"$exists": True}}, limit=9)
    await road.publish()
    assert await road.check_topic() == 0


async def test_faults_of_the_broker_never_set_an_entity_aside(road: Road) -> None:
    class Failing(Publisher):
        async def send(self, records: Any) -> list[BaseException | None]:
            return [BrokerAway("not in sync") for _ in records]

    jar = await road.jar(1)
    relay = road.relay(road.publisher(kind=Failing))
    for _ in range(5):
        assert await relay.round() == 0
    await road.publish()
    assert await road.check_topic() == 0
    assert (await road.shop.mongo.find_one("jars", {"_id": jar.id, "stuck": {"$exists": True}})) is None


async def test_a_relay_at_work_publishes_at_once_and_stops_where_its_lease_is_lost(road: Road) -> None:
    old = Lease(road.shop.mongo, "relay", "shop-0", 0.3)
    working = asyncio.create_task(road.relay().run(old, road.shop.changes))
    jar = await road.jar(1)

    async def all_out() -> bool:
        kept = await road.shop.mongo.find_one("jars", {"_id": jar.id})
        return kept is not None and kept["published"] == kept["version"]

    await until(all_out)
    new = Lease(road.shop.mongo, "relay", "shop-0", 30)
    assert await new.acquire()
    await asyncio.sleep(0.4)
    await road.drop(jar, 1)
    await asyncio.sleep(0.3)
    assert not await all_out()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
