"""The memory of reactions: what had its effect is remembered, at the latest when it is confirmed."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.messaging import consumer as consumer_module
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.delivery import Delivery
from services.chassis.messaging.kafka import PARTITIONS
from services.chassis.messaging.kafka.records import incoming
from services.chassis.messaging.memory import COLLECTION, Memory
from services.chassis.messaging.reactions import Copying, Create, Effect, reaction
from services.chassis.storage.errors import DatabaseRefused
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Context
from tests.contracts.toys import delivered
from tests.support import toy
from tests.support.calls import CALLS
from tests.support.reading import consume
from tests.support.road import Road, running, until
from tests.support.toy import CoinDropped, Note, NoteWritten


async def test_what_came_before_an_event_that_has_to_wait_is_written_and_does_not_come_again(road: Road) -> None:
    jar = await road.jar(1, 2, 3)
    await road.publish()
    came: list[int] = []

    @reaction("note-in-time", CoinDropped)
    async def note_in_time(ctx: Context, delivered: Delivered, event: CoinDropped) -> Sequence[Effect]:
        came.append(event.coins)
        if came.count(3) == 1 and event.coins == 3:
            raise Unavailable(retry_after=1)
        return [Create.of(Note, ctx, "note", NoteWritten(about=delivered.entity, coins=event.coins))]

    await consume(road, reactions=[note_in_time])
    assert came == [1, 2, 3, 3]
    notes = await road.hall.mongo.find(Note.collection(), {}, sort=[("state.coins", 1)], limit=9)
    assert [(note["state"]["about"], note["state"]["coins"]) for note in notes] == [(jar.id, n) for n in (1, 2, 3)]
    assert await road.parked() == []


async def test_many_batches_are_remembered_by_one_write_before_they_are_confirmed(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    for often in ("_CONFIRM_SECONDS", "_SELDOM_SECONDS", "_OFTEN_SECONDS"):
        monkeypatch.setattr(consumer_module, often, 60.0)
    done: list[str] = []
    bulk = road.hall.mongo.bulk

    async def noted(name: str, writes: Any) -> int:
        written = await bulk(name, writes)
        done.extend(["remembered"] if name == COLLECTION else [])
        return written

    monkeypatch.setattr(road.hall.mongo, "bulk", noted)
    jars = [await road.jar() for _ in range(3)]
    await road.publish()
    consumer = await road.consumer()
    expected = 0

    async def ready() -> bool:
        return consumer.ready()

    async def counted() -> bool:
        return all([(await road.sum(jar)).total == expected for jar in jars])

    commit = road.readers[0].commit

    async def committed(records: Any) -> bool:
        done.append("confirmed")
        return await commit(records)

    async with running(consumer):
        await until(ready)
        monkeypatch.setattr(road.readers[0], "commit", committed)
        done.clear()
        for coins in range(1, 6):
            for jar in jars:
                await road.drop(jar, coins)
            expected += coins
            await road.publish()
            await until(counted)
    # Once its stream has begun the consumer asks what operators want, and confirms before that.
    assert done in (["remembered", "confirmed"], ["remembered", "confirmed"] * 2)


async def test_what_comes_again_before_it_is_saved_is_known(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, event = Memory(road.hall.mongo), delivered()
    wanted = [(toy.count_coins, [event])]
    assert (await memory.load(wanted)).unseen(*wanted[0]) == [event]
    memory.note(toy.count_coins, [(event, ())], now())
    assert (await memory.load(wanted)).unseen(*wanted[0]) == []
    assert await Memory(road.hall.mongo).save() == ()
    by_ids = road.hall.mongo.by_ids

    async def saved_meanwhile(name: str, ids: Collection[str]) -> Any:
        found = await by_ids(name, ids)
        ((reaction, _, _),) = await memory.save()
        assert reaction is toy.count_coins
        return found

    monkeypatch.setattr(road.hall.mongo, "by_ids", saved_meanwhile)
    assert (await memory.load(wanted)).unseen(*wanted[0]) == []
    monkeypatch.undo()
    assert await memory.save() == ()
    assert (await Memory(road.hall.mongo).load(wanted)).unseen(*wanted[0]) == []


async def test_what_is_noted_while_another_is_saved_is_saved_next(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, event, bulk = Memory(road.hall.mongo), delivered(), road.hall.mongo.bulk
    later = replace(event, version=event.version + 1)

    async def slow(name: str, writes: Any) -> int:
        written = await bulk(name, writes)
        memory.note(toy.count_coins, [(later, ())], now())
        monkeypatch.undo()
        return written

    monkeypatch.setattr(road.hall.mongo, "bulk", slow)
    memory.note(toy.count_coins, [(event, ())], now())
    assert [len(await memory.save()) for _ in range(3)] == [1, 1, 0]
    known = await Memory(road.hall.mongo).load([(toy.count_coins, [later])])
    assert known.unseen(toy.count_coins, [event, later]) == []


class Owner:
    """Who has all partitions of the road for good."""

    def __init__(self, road: Road) -> None:
        self._places = frozenset((road.topic, number) for number in range(PARTITIONS))

    def assigned(self) -> frozenset[tuple[str, int]]:
        return self._places

    def generation(self) -> int:
        return 1


async def test_copies_and_memory_of_a_batch_are_looked_up_in_one_round_trip(road: Road) -> None:
    jar = await road.jar()
    await road.publish()
    await consume(road)
    await road.drop(jar, 1)
    await road.publish()
    delivery = Delivery(road.hall, Owner(road), [Copying(toy.JarCopy), toy.note_coins])
    await delivery.learn()
    *_, last = [incoming(record) for record in await road.records()]
    with CALLS.counted() as calls:
        await delivery.take([last])
    assert calls == {"aggregate": 1, "update": 1, "insert": 1}  # both look-ups, the copy, the note
    with CALLS.counted() as calls:
        await delivery.remember()
    assert calls == {"update": 1}


async def test_what_lies_before_an_event_is_remembered_before_it_is_parked(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "_CONFIRM_SECONDS", 60.0)
    jar, mongo, done = await road.jar(), road.hall.mongo, list[str]()
    bulk, insert = mongo.bulk, mongo.insert

    async def noted(name: str, writes: Any) -> int:
        if name == Note.collection() and any(write.document["state"]["coins"] == 9 for write in writes):
            raise DatabaseRefused(name)
        written = await bulk(name, writes)
        done.append(name)
        return written

    async def noted_insert(name: str, document: Document) -> None:
        await insert(name, document)
        done.append(name)

    monkeypatch.setattr(mongo, "bulk", noted)
    monkeypatch.setattr(mongo, "insert", noted_insert)
    consumer = await road.consumer(reactions=[toy.note_coins])
    async with running(consumer):
        for coins, at_last in ((1, Note.collection()), (9, "parked")):
            await road.drop(jar, coins)
            await road.publish()

            async def handled(last: str = at_last) -> bool:
                return last in done

            await until(handled)
    assert [event for _, event, _ in await road.parked()] == [f"{jar.id}:3"]
    seen = await mongo.find_one(COLLECTION, {"_id": f"note-coins|{jar.id}"})
    assert seen is not None
    assert seen["version"] == 2
    assert done.index(COLLECTION) < done.index("parked")
