"""The ledger on trimmed histories: it reads what left the documents, and names what went wrong there."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.chassis.messaging.kafka import TopicReader
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.commands import Commands
from services.chassis.operations.ledger.histories import Histories
from services.chassis.operations.ledger.published import Published
from services.chassis.storage import archive
from tests.chassis.ledger_city import City, counts, examples
from tests.support import toy
from tests.support.toy import Jar


async def archived(city: City, change: Any, id: str) -> None:
    """Change an archived event behind everybody's back."""
    assert await city.shop.mongo.update("jars_archive", {"_id": id}, change) == 1


async def test_trimmed_histories_keep_every_promise(city: City) -> None:
    jar = await city.jar(*range(1, 12))
    await city.settle()
    await city.drop(jar, 1)
    await city.settle()
    document = await city.shop.mongo.find_one("jars", {"_id": jar})
    assert document is not None
    assert document["archived"] == 10
    shop, hall = await city.verify(toy.shop), await city.verify(toy.hall)
    assert [(line.check, line.examples) for r in (shop, hall) for line in r.lines if line.breaches] == []
    assert counts(shop, "L3") == {"entities": 1, "events": 13}
    assert counts(shop, "L5", "topic") == {"distinct events": 13, "published": 13}
    assert counts(shop, "L8", "causes") == {"writes": 13}
    assert await city.hall.mongo.count("sums_archive", {}, limit=99) > 0, "those who consume are trimmed too"


Break = Callable[[City, str], Awaitable[None]]


async def lost(city: City, jar: str) -> None:
    await city.shop.mongo.delete("jars_archive", {"_id": f"{jar}:3"})


async def changed_byte(city: City, jar: str) -> None:
    await archived(city, {"$set": {"data.coins": 7}}, f"{jar}:3")


async def changed_actor(city: City, jar: str) -> None:
    await archived(city, {"$set": {"by": "somebody"}}, f"{jar}:1")


async def forgotten(city: City, jar: str) -> None:
    await city.damage(Jar, jar, {"$set": {"archived": 0}})


async def trimmed_unpublished(city: City, jar: str) -> None:
    await city.drop(jar, 1)
    await city.drop(jar, 2)
    document = await city.shop.mongo.find_one("jars", {"_id": jar})
    assert document is not None
    await archive.copy(city.shop.mongo, "jars", jar, document["history"][:-1])
    await city.damage(Jar, jar, {"$set": {"archived": 10, "history": document["history"][-1:]}})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lost, "its history has 1-2, 4-9"),
        (changed_byte, "the chain breaks at version 3"),
        (changed_actor, "the chain breaks at version 1"),
        (forgotten, "its history has 8-9"),
        (trimmed_unpublished, "is published up to 9, archived up to 10"),
    ],
)
async def test_what_went_wrong_in_an_archive_is_named(city: City, damage: Break, says: str) -> None:
    jar = await city.jar(*range(1, 9))
    await city.settle()
    await damage(city, jar)
    report = await city.verify(toy.shop, within=0.1)
    (example,) = examples(report, "L3")
    assert example.startswith(f"{jar}: ")
    assert says in example


async def test_unpublished_history_that_was_trimmed_is_never_published_and_says_so(city: City) -> None:
    jar = await city.jar(*range(1, 9))
    await city.settle()
    await trimmed_unpublished(city, jar)
    await city.publish()
    document = await city.shop.mongo.find_one("jars", {"_id": jar})
    assert document is not None
    assert (document["published"], document["stuck"][: len(jar)]) == (9, jar)


async def test_a_cause_that_had_its_effect_again_after_it_was_archived_is_caught(city: City) -> None:
    jar = await city.jar(*range(1, 9))
    await city.settle()
    await city.damage(Jar, jar, {"$set": {"archived": 0}})  # so that a look-up does not go to the archive
    city.causes = 2
    await city.drop(jar, 2)
    await city.damage(Jar, jar, {"$set": {"archived": 7}})
    await city.settle()
    (example,) = examples(await city.verify(toy.shop), "L8", "causes")
    assert "http:keeper:POST:/v1/jars:3 has had its effect before" in example


async def test_what_was_written_and_archived_since_the_histories_were_read_is_no_phantom(city: City) -> None:
    jar = await city.jar(1)
    await city.publish()
    histories = Histories(city.shop.mongo, (Jar,), Commands(()), quietly)
    await histories.read()
    for number in range(12):
        await city.drop(jar, number)
    await city.publish()
    published = Published(city.shop.mongo, (Jar,), histories.tracks, quietly)
    async with TopicReader(city.world.kafka).open() as past:
        await published.read(past, city.world.settings().topic("members"))
    assert [line.examples for line in published.lines()] == [[], []]
    assert published.content.counts["distinct events"] == 14
