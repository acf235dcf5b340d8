"""The ledger: clean where all is well, also while others write; each broken promise caught by its own line."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.messaging.kafka import PARTITIONS, partition_of
from services.chassis.runtime.service import Service
from services.chassis.storage.documents import draft
from tests.chassis.ledger_city import City, counts, examples, headers
from tests.support import toy
from tests.support.toy import CoinDropped, Jar, JarOpened

DROPPED, OPENED = CoinDropped.type_name(), JarOpened.type_name()


async def test_an_idle_city_keeps_every_promise(city: City) -> None:
    jars = [await city.jar(1, 2, 3), await city.jar(4)]
    await city.settle()
    shop, hall = await city.verify(toy.shop), await city.verify(toy.hall)
    assert [(line.check, line.examples) for r in (shop, hall) for line in r.lines if line.breaches] == []
    assert counts(shop, "L3") == {"entities": 2, "events": 6}
    assert counts(shop, "L5", "topic") == {"distinct events": 6, "published": 6}
    assert counts(hall, "L7", "copy-jar")["copies"] == len(jars)
    assert counts(hall, "L7", "note-coins") == {"not wanted": 2, "done": 4}
    assert counts(hall, "L8", "causes") == {"writes": 10}


async def test_a_private_event_is_not_missed_in_the_topic(city: City) -> None:
    jar = await city.jar(1)
    with suppress(toy.Guessed):
        await toy.guess_total(city.doing(), jar, toy.GuessTotal(total=99))
    await city.publish()
    report = await city.verify(toy.shop)
    assert report.clean
    assert counts(report, "L5", "topic") == {"distinct events": 2, "published": 2}


async def test_a_live_system_raises_no_false_alarm(city: City) -> None:
    stop, written = asyncio.Event(), [0]

    async def write() -> None:
        jars = [await city.jar() for _ in range(5)]
        while not stop.is_set():
            await city.drop(jars[written[0] % 5], 1)
            written[0] += 1
            if written[0] % 20 == 0:
                jars[written[0] % 5] = await city.jar(1)

    async def relay(service: Service) -> None:
        sending = city.relay(service)
        while not stop.is_set():
            await sending.round()
            await asyncio.sleep(0.01)

    busy = (write(), write(), relay(toy.shop), relay(toy.hall))
    writers = [asyncio.create_task(work) for work in busy]
    async with city.consuming():
        for _ in range(2):
            before = written[0]
            assert await city.breaches(within=30) == set()
            assert written[0] > before, "nothing was written meanwhile"
        stop.set()
        await asyncio.gather(*writers)


Break = Callable[[City, str], Awaitable[None]]


async def gap(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$pull": {"history": {"version": 2}}})


async def changed_byte(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$set": {"history.1.data.coins": 7}})


async def lost_head(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$set": {"hash": "0" * 64}})


async def state_by_hand(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$set": {"state.total": 99}})


async def scope_by_hand(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$set": {"under": ["1508"]}})


async def unmarked(city: City, jar: str) -> None:
    await city.drop(jar, 5)
    await city.damage(Jar, jar, {"$unset": {"pending": ""}})


async def set_aside(city: City, jar: str) -> None:
    await city.drop(jar, 5)
    await city.damage(Jar, jar, {"$set": {"stuck": "too large"}})


async def marked_unsent(city: City, jar: str) -> None:
    await city.drop(jar, 5)
    await city.damage(Jar, jar, {"$set": {"published": 4}, "$unset": {"pending": ""}})


async def phantom(city: City, jar: str) -> None:
    await city.send(jar, b'{"coins":1}', headers(f"{jar}:9", DROPPED))


async def phantom_of_nothing(city: City, jar: str) -> None:
    await city.send("jar_none", b'{"coins":1}', headers("jar_none:1", DROPPED))


async def phantom_beyond_all_versions(city: City, jar: str) -> None:
    await city.send(jar, b'{"coins":1}', headers(f"{jar}:99999999999999", DROPPED))


async def foreign_record(city: City, jar: str) -> None:
    await city.send("somebody", b"{}", {})


async def altered_record(city: City, jar: str) -> None:
    await city.drop(jar, 5)
    await city.damage(Jar, jar, {"$set": {"published": 4}, "$unset": {"pending": ""}})
    await city.send(jar, b'{"coins":6}', headers(f"{jar}:4", DROPPED))


async def private_published(city: City, jar: str) -> None:
    with suppress(toy.Guessed):
        await toy.guess_total(city.doing(), jar, toy.GuessTotal(total=99))
    await city.send(jar, b"{}", headers(f"{jar}:4", toy.GuessMissed.type_name()))
    await city.publish()


async def swapped(city: City, jar: str) -> None:
    for version in (5, 4):
        await city.drop(jar, version)
    for version in (5, 4):
        await city.send(jar, orjson.dumps({"coins": 9 - version}), headers(f"{jar}:{version}", DROPPED))
    await city.damage(Jar, jar, {"$set": {"published": 5}, "$unset": {"pending": ""}})


async def made_twice(city: City, jar: str) -> None:
    known = await city.shop.mongo.find_one("jars", {"_id": jar})
    assert known
    origin = Origin(now(), "keeper", "hulunbuir", known["history"][0]["cause"], None, None)
    twin = Jar.blank("jar_twin")
    twin.record(JarOpened(label="twin", keeper="keeper"))
    await city.shop.mongo.insert("jars", draft(twin, origin))
    await city.publish()


@pytest.mark.parametrize(
    ("breaking", "check", "about"),
    [
        (gap, "L3", ""),
        (changed_byte, "L3", ""),
        (lost_head, "L3", ""),
        (state_by_hand, "L4", ""),
        (scope_by_hand, "L4", ""),
        (unmarked, "L5", "marks"),
        (set_aside, "L5", "marks"),
        (marked_unsent, "L5", "topic"),
        (phantom, "L5", "topic"),
        (phantom_of_nothing, "L5", "topic"),
        (phantom_beyond_all_versions, "L5", "topic"),
        (foreign_record, "L5", "topic"),
        (altered_record, "L5", "topic"),
        (private_published, "L5", "topic"),
        (swapped, "L6", ""),
        (made_twice, "L8", "causes"),
    ],
)
async def test_what_is_broken_in_the_shop_is_caught_by_its_own_line(
    city: City, breaking: Break, check: str, about: str
) -> None:
    jar = await city.jar(1, 2)
    await city.publish()
    await breaking(city, jar)
    report = await city.verify(toy.shop)
    assert {(line.check, line.about) for line in report.lines if line.breaches} == {(check, about)}
    assert sum(line.breaches for line in report.lines) == 1, examples(report, check, about)


async def test_a_record_on_the_wrong_partition_is_caught(city: City) -> None:
    jar = await city.jar()
    await city.damage(Jar, jar, {"$set": {"published": 1}, "$unset": {"pending": ""}})
    (event,) = await city.shop.system_context("test", "read").store.history(Jar, jar)
    pairs = [(name, value.encode()) for name, value in headers(event.id, event.type).items()]
    async with AIOKafkaProducer(bootstrap_servers=city.world.kafka) as producer:
        topic, wrong = city.world.settings().topic("members"), (partition_of(jar) + 1) % PARTITIONS
        await producer.send_and_wait(topic, orjson.dumps(event.data), jar.encode(), wrong, headers=pairs)
    assert await city.breaches(toy.shop) == {("members", "L6", "")}


async def test_a_duplicate_is_counted_and_no_breach(city: City) -> None:
    jar = await city.jar(1)
    await city.publish()
    await city.damage(Jar, jar, {"$set": {"published": 0, "pending": now()}})
    await city.publish()
    report = await city.verify(toy.shop)
    assert report.clean
    assert counts(report, "L5", "topic") == {"distinct events": 2, "duplicates": 2, "published": 2}


async def test_an_event_that_no_relay_sends_is_late_and_not_missed(city: City) -> None:
    await city.jar(1)
    report = await city.verify(toy.shop, within=0.5)
    assert {(line.check, line.about) for line in report.lines if line.breaches} == {("L9", "relay")}
