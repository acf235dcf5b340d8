"""Parking: what a reaction cannot take waits, with all that follows it, and nothing else does."""

from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.parking import Parking
from services.chassis.messaging.reactions import Copying
from services.chassis.telemetry import metrics
from tests.support import toy
from tests.support.reading import consume, expect_right, headers, settled
from tests.support.road import Road, running, until
from tests.support.toy import Jar

ALL = toy.hall.all_reactions


async def test_poison_is_parked_with_its_bytes_and_reason_and_only_its_entity_waits(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    sick, well = await road.jar(1, 13, 5), await road.jar(1, 2)
    await road.publish()
    consumer = await road.consumer()
    async with running(consumer):
        await settled(road, consumer)
        await road.drop(sick, 6)
        await road.drop(well, 7)
        await road.publish()
        await settled(road, consumer)
    await expect_right(road, well)
    assert (await road.sum(sick)).order == [0, 1]
    assert await road.notes(sick) == [1, 5, 6, 13]  # another reaction is not held up
    found = await road.hall.mongo.find("parked", {}, sort=[("offset", 1)], limit=9)
    assert [p["_id"] for p in found] == [f"count-coins|{sick.id}:{version}" for version in (3, 4, 5)]
    assert bytes(found[0]["bytes"]) == b'{"coins":13}'
    assert found[0]["reason"] == "ValueError"  # not what it says: it may say what somebody wrote
    assert found[0]["headers"]["ce_id"] == f"{sick.id}:3"
    assert "behind" in found[1]["reason"]
    assert not any("replay" in p for p in found)  # so the index of those to be replayed is empty
    assert metrics.parked_events.labels("count-coins")._value.get() == 3


async def flag(road: Road, jar: Jar) -> None:
    """What `linli parked replay` does."""
    where = {"entity": jar.id, "replay": {"$exists": False}}
    while await road.hall.mongo.update("parked", where, {"$set": {"replay": True}}):
        continue


async def reasons(road: Road) -> list[str]:
    """Why each is parked, in order."""
    return [p["reason"] for p in await road.hall.mongo.find("parked", {}, sort=[("offset", 1)], limit=99)]


async def test_after_a_fix_the_parked_are_replayed_in_order(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jar = await road.jar(1, 13, 5)
    await road.publish()
    await consume(road)
    consumer = await road.consumer()  # a restart knows what is parked
    async with running(consumer):
        await road.drop(jar, 6)
        await road.publish()
        await settled(road, consumer)
        assert (await road.sum(jar)).order == [0, 1]
        await flag(road, jar)

        async def judged() -> bool:
            return all(not replay for _, _, replay in await road.parked())

        await until(judged)  # not mended yet: it waits on, with all that follow
        assert [event for _, event, _ in await road.parked()] == [f"{jar.id}:{v}" for v in (3, 4, 5)]
        assert await reasons(road) == ["ValueError", *["waits behind an earlier event"] * 2]
        monkeypatch.setattr(toy.Poison, "coins", set())
        await flag(road, jar)

        async def drained() -> bool:
            return not await road.parked()

        async def counted_down() -> bool:  # the gauge follows the database by a moment
            return bool(metrics.parked_events.labels("count-coins")._value.get() == 0)

        await until(drained)
        await until(counted_down)
        await road.drop(jar, 8)
        await road.publish()
        await settled(road, consumer)
    await expect_right(road, jar)


async def test_one_of_two_members_parks_and_the_other_knows_when_it_takes_over(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jar = await road.jar(13)
    await road.publish()
    first = await road.consumer()
    await consume(road, first)
    await consume(road, group="first", reactions=ALL)
    reading = await road.consumer(group="first")
    delivery = reading._delivery
    delivery._ours, delivery._generation = reading._reader.assigned(), -1  # had them once, when nothing was parked
    async with running(reading):
        await road.drop(jar, 2)
        await road.publish()
        await settled(road, reading)
    assert (await road.sum(jar)).order == [0]


async def test_what_is_parked_is_not_tried_again_because_its_batch_comes_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jar = await road.jar(13, 2)
    await road.publish()
    await consume(road)
    monkeypatch.setattr(toy.Poison, "coins", set())
    await consume(road, group="another group, the same database")
    assert (await road.sum(jar)).order == [0]
    assert [event for _, event, _ in await road.parked()] == [f"{jar.id}:2", f"{jar.id}:3"]
    assert await reasons(road) == ["ValueError", "waits behind an earlier event"]


async def test_however_much_is_parked_all_of_it_is_known_after_a_restart(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    monkeypatch.setattr("services.chassis.messaging.parking._BATCH", 2)
    jars = [await road.jar(13) for _ in range(5)]
    await road.publish()
    await consume(road)
    for jar in jars:
        await road.drop(jar, 2)
    await road.publish()
    await consume(road)
    assert [(await road.sum(jar)).order for jar in jars] == [[0]] * 5
    assert metrics.parked_events.labels("count-coins")._value.get() == 10


async def test_what_nobody_can_replay_keeps_its_reason_and_loses_its_flag(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jar = await road.jar(13, 2)
    await road.put("stranger", b"?", [])
    await road.publish()
    await consume(road)
    before = await reasons(road)
    ids = [p["_id"] for p in await road.hall.mongo.find("parked", {}, limit=9)]
    assert len(ids) == 3
    for id in ids:
        await road.hall.mongo.update("parked", {"_id": id}, {"$set": {"replay": True}})
    others = [r for r in ALL if r.name != "count-coins"]
    async with running(await road.consumer(reactions=others)):

        async def judged() -> bool:
            return not await road.hall.mongo.count("parked", {"replay": {"$exists": True}}, limit=9)

        await until(judged)
    assert await reasons(road) == before
    assert (await road.sum(jar)).order == [0]


async def test_to_look_for_what_is_to_be_replayed_no_parked_event_is_read(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    await road.jar(13, *range(50))
    await road.publish()
    await consume(road)
    where = {"replay": True, "$or": [{"topic": road.topic, "partition": number} for number in range(12)]}
    asked = {"find": "parked", "filter": where, "sort": {"reaction": 1, "entity": 1, "offset": 1}}
    result = await road.hall.mongo.command("explain", asked, verbosity="executionStats")
    assert result["executionStats"]["totalDocsExamined"] == 0


async def test_an_insert_whose_answer_was_lost_still_holds_up_what_follows(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jar = await road.jar(13, 2)
    await road.publish()
    consumer = await road.consumer()
    insert = road.hall.mongo.insert
    lost: list[str] = []

    async def insert_and_lose(name: str, document: dict[str, Any]) -> None:
        await insert(name, document)
        if name == "parked" and not lost:
            lost.append(document["_id"])
            monkeypatch.setattr(toy.Poison, "coins", set())  # another try would go well, and it is parked all the same
            raise Unavailable(retry_after=1)

    monkeypatch.setattr(road.hall.mongo, "insert", insert_and_lose)
    await consume(road, consumer)
    assert lost
    assert (await road.sum(jar)).order == [0]
    assert [event for _, event, _ in await road.parked()] == [f"{jar.id}:2", f"{jar.id}:3"]


UNREADABLE: list[tuple[bytes | None, list[tuple[str, Any]]]] = [
    (b"not json", [("ce_id", b"jar_x:1"), ("ce_type", b"linli.support.JarOpened")]),
    (None, []),
    (b"{}", [("ce_id", None), ("\0$where", b"\xff\xfe")]),
    (b"[]", [("ce_id", b"jar_x:one")]),
]


async def test_a_record_that_is_no_event_is_parked_and_the_partition_continues(road: Road) -> None:
    jar = await road.jar(1)
    for value, given in UNREADABLE:
        await road.put(jar.id, value, given)
    await road.publish()
    await consume(road)
    await expect_right(road, jar)
    found = await road.hall.mongo.find("parked", {}, sort=[("offset", 1)], limit=9)
    assert [p["reaction"] for p in found] == ["unreadable"] * len(UNREADABLE)
    assert [p["bytes"] and bytes(p["bytes"]) for p in found] == [value for value, _ in UNREADABLE]


async def test_an_event_of_a_newer_shape_or_with_wrong_fields_is_parked(road: Road) -> None:
    newer, wrong = await road.jar(1), await road.jar(1)
    await road.publish()
    await road.put(newer.id, b'{"coins":5}', headers(newer, 3, "linli.support.CoinDropped", schema=2))
    await road.put(wrong.id, b'{"coins":{"$gt":0}}', headers(wrong, 3, "linli.support.CoinDropped"))
    await consume(road)
    why = {p["entity"]: p["reason"] for p in await road.hall.mongo.find("parked", {}, limit=99)}
    assert "schema=2, known=1" in why[newer.id]
    assert why[wrong.id] == "ValidationError"
    assert len(await road.parked()) == 6
    await expect_right(road, newer, wrong)


async def test_a_change_of_something_unknown_is_parked_for_the_copy(road: Road) -> None:
    jar = Jar(id="jar_unknown", label="x", keeper="keeper")
    await road.put(jar.id, b'{"coins":5}', headers(jar, 2, "linli.support.CoinDropped"))
    await consume(road, reactions=[Copying(toy.JarCopy)])
    assert await road.parked() == [("copy-jar", "jar_unknown:2", False)]
    assert (await reasons(road))[0].startswith("CopyMissing: linli.support.CoinDropped of jar_unknown")


async def test_what_lies_before_a_failure_is_written_before_that_is_parked(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = await road.jar(1, 13, 5)
    await road.publish()
    consumer = await road.consumer()
    fold = Copying._fold

    def poisoned(self: Any, copies: Any, delivered: Any) -> Any:
        if delivered.data.get("coins") == 13 and sick:
            raise ValueError
        return fold(self, copies, delivered)

    keep = Parking.park

    async def seen_parked(self: Any, reaction: str, event: Any, reason: str) -> None:
        copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
        parked_at.append(copy["version"] if copy else 0)
        await keep(self, reaction, event, reason)

    sick, parked_at = True, list[int]()
    monkeypatch.setattr(Copying, "_fold", poisoned)
    monkeypatch.setattr(Parking, "park", seen_parked)
    async with running(consumer):
        await settled(road, consumer)
        copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
        assert copy is not None
        assert (copy["version"], copy["state"]["total"]) == (2, 1)
        assert parked_at == [2, 2]  # the version of the copy when its next events were parked
        sick = False
        await flag(road, jar)

        async def drained() -> bool:
            return not await road.parked()

        await until(drained)
    await expect_right(road, jar)
