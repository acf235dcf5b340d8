"""Parked events that are given up: kept with the reason, never tried again, and counted by the ledger."""

import orjson
import pytest

from services.chassis.messaging.kafka import Reader, TopicReader
from tests.chassis.ledger_city import City, counts, headers
from tests.support import consuming, toy
from tests.support.operating import Operator
from tests.support.road import running, until
from tests.support.toy import CoinDropped, Poison

pytestmark = pytest.mark.usefixtures("poison")
BECAUSE = ("--reason", "sent by a test")


async def drop(city: City, parked: Operator, *words: str) -> dict[str, int]:
    """What `linli parked drop` tells while a worker runs, and must do."""
    async with city.consuming():
        said = await parked.in_a_process("drop", *words, *BECAUSE, "--yes", "--json")
    assert said.code == 0, said.text
    result: dict[str, int] = orjson.loads(said.text)
    return result


async def order(city: City, jar: str) -> list[int]:
    """What the hall has counted of a jar."""
    return (await toy.sum_of(city.hall.system_context("test", "read"), jar)).order


async def from_the_start(city: City) -> None:
    """The hall reads its topic once more, as a group that has read nothing."""
    topic, group = city.world.settings().topic("members"), f"{city.group}.again"
    reader = Reader(city.world.kafka, [topic], group, "again")
    await reader.start()
    consumer = await consuming.member(city.hall, reader, toy.hall.all_reactions, group)
    async with running(consumer), TopicReader(city.world.kafka).open() as past:
        ends = {place: end for place, end in (await past.ends(topic)).items() if end}

        async def read() -> bool:
            return ends.items() <= (await past.committed(group)).items()

        await until(read)
    await reader.stop()


async def test_a_drop_is_only_shown_at_first_and_asks_for_a_reason(city: City, parked: Operator) -> None:
    jar = await city.jar(1, 13, 2)
    await city.settle()
    shown = await parked.json("drop", f"count-coins|{jar}:3", *BECAUSE)
    assert (shown["dry_run"], shown["dropping"], shown["before"], shown["after"]) == (True, 1, 2, 1)
    assert (await parked("drop", f"count-coins|{jar}:3", "--yes")).code == 2
    assert (await parked("drop", *BECAUSE)).code == 2
    assert await city.hall.mongo.count("parked", {"drop": {"$exists": True}}, 9) == 0


async def test_a_dropped_event_is_kept_with_its_reason_and_its_followers_wait_for_their_replay(
    city: City, parked: Operator
) -> None:
    jar = await city.jar(1, 13, 2)
    await city.settle()
    result = await drop(city, parked, f"count-coins|{jar}:3")
    assert (result["before"], result["after"], result["not_dropped_yet"]) == (2, 1, 0)
    (kept,) = (await parked.json("list", "--dropped"))["events"]
    assert (kept["id"], kept["value"], kept["reason"]) == (f"count-coins|{jar}:3", {"coins": 13}, "ValueError")
    assert kept["drop"]["reason"] == "sent by a test"
    assert kept["drop"]["by"]
    report = await city.verify(toy.hall)
    assert report.clean
    assert counts(report, "L7", "count-coins") == {"not wanted": 0, "done": 2, "parked": 1, "dropped": 1}
    await city.drop(jar, 5)
    await city.settle()
    assert await order(city, jar) == [0, 1]
    async with city.consuming():
        assert (await parked.in_a_process("replay", "--all", "--yes")).code == 0
    assert await order(city, jar) == [0, 1, 2, 5]
    await city.publish()
    assert await city.breaches() == set()


async def test_with_its_followers_all_that_waits_behind_it_is_dropped(city: City, parked: Operator) -> None:
    jar, other = await city.jar(1, 13, 2, 3), await city.jar(13)
    await city.settle()
    result = await drop(city, parked, f"count-coins|{jar}:4", "--followers")
    assert (result["before"], result["after"]) == (4, 2)
    assert [one["entity"] for one in (await parked.json("list"))["events"]].count(jar) == 1
    await drop(city, parked, "--reaction", "count-coins")
    assert (await parked.json("list"))["count"] == 0
    await city.drop(other, 4)
    await city.settle()
    assert await order(city, other) == [0, 4]
    assert await city.breaches() == set()


async def test_what_was_dropped_does_not_come_back_when_the_topic_is_read_again(city: City, parked: Operator) -> None:
    jar = await city.jar(1, 13)
    await city.send("stranger", b"?", {})
    await city.settle()
    await drop(city, parked, "--reaction", "count-coins")
    await drop(city, parked, "--reaction", "unreadable")
    Poison.coins.clear()  # it would go well now
    await from_the_start(city)
    assert await order(city, jar) == [0, 1]
    assert (await parked.json("list"))["count"] == 0
    report = await city.verify(toy.hall)
    assert report.clean
    assert counts(report, "L7", "records")["unreadable, dropped"] == 1


async def test_a_copy_continues_without_what_was_dropped_and_the_ledger_leaves_it_out(
    city: City, parked: Operator
) -> None:
    jar = await city.garbled()
    await drop(city, parked, f"copy-jar|{jar}:3")
    async with city.consuming():
        await parked.in_a_process("replay", "--reaction", "copy-jar", "--yes")
    copy = await city.hall.mongo.find_one("copies_jar", {"_id": jar})
    assert copy is not None
    assert (copy["version"], copy["state"]["total"]) == (4, 3)
    assert (await city.verify(toy.hall)).clean
    await city.hall.mongo.delete("dropped", {"_id": f"copy-jar|{jar}:3"})
    assert ("requests", "L7", "copy-jar") in await city.breaches(toy.hall)


async def test_without_a_worker_it_is_only_marked_and_a_replay_takes_it_back(city: City, parked: Operator) -> None:
    jar = await city.jar(13)
    await city.settle()
    said = await parked("drop", "--reaction", "count-coins", *BECAUSE, "--yes", "--within", "0.5")
    assert said.code == 1
    assert "1 not dropped yet" in said.text
    assert [one["drop"]["reason"] for one in (await parked.json("list"))["events"]] == ["sent by a test"]
    Poison.coins.clear()
    assert (await parked("replay", f"count-coins|{jar}:2", "--yes", "--within", "0")).code == 1
    assert [one["replay"] for one in (await parked.json("list"))["events"]] == [True]
    async with city.consuming():

        async def drained() -> bool:
            return not await city.hall.mongo.count("parked", {}, 9)

        await until(drained)
    assert await order(city, jar) == [0, 13]
    assert (await parked.json("list", "--dropped"))["count"] == 0


async def test_a_late_duplicate_that_had_its_effect_is_taken_away_and_not_called_dropped(
    city: City, parked: Operator
) -> None:
    jar = await city.jar(1)
    await city.settle()
    await city.send(jar, b'{"coins":"many"}', headers(f"{jar}:3", CoinDropped.type_name()))
    await city.send(jar, b'{"coins":1}', headers(f"{jar}:2", CoinDropped.type_name()))
    await city.settle()
    assert (await parked.json("list", "--reaction", "copy-jar"))["count"] == 2
    await drop(city, parked, "--reaction", "copy-jar")

    async def done() -> bool:
        return not await city.hall.mongo.count("parked", {"reaction": "copy-jar"}, 9)

    await until(done)
    kept = await city.hall.mongo.find("dropped", {"reaction": "copy-jar"}, limit=9)
    assert [one["_id"] for one in kept] == [f"copy-jar|{jar}:3"]
    assert await city.breaches(toy.hall) == set()
