"""The memory of reactions: what had its effect is remembered, at the latest when it is confirmed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.messaging import consumer as consumer_module
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.memory import COLLECTION, Memory
from services.chassis.messaging.reactions import Create, Effect, reaction
from services.chassis.usecase import Context
from tests.contracts.toys import delivered
from tests.support import toy
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
    monkeypatch.setattr(consumer_module, "_CONFIRM_SECONDS", 60.0)
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
    # The consumer asks what operators want between two batches at its start and now and then, and confirms before that.
    assert done in (["remembered", "confirmed"], ["remembered", "confirmed"] * 2)


async def test_what_comes_again_before_it_is_saved_is_known(road: Road) -> None:
    memory, event = Memory(road.hall.mongo), delivered()
    wanted = [(toy.count_coins, [event])]
    assert (await memory.load(wanted)).unseen(*wanted[0]) == [event]
    memory.note(toy.count_coins, [(event, ())], now())
    assert (await memory.load(wanted)).unseen(*wanted[0]) == []
    assert await Memory(road.hall.mongo).save() == ()
    loading = asyncio.create_task(memory.load(wanted))  # is saved meanwhile
    (saved,) = await memory.save()
    assert (await loading).unseen(*wanted[0]) == []
    assert (saved[0], await memory.save()) == (toy.count_coins, ())
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
