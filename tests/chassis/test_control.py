"""What operators ask of a consumer: it rests, goes on, reads again from elsewhere, and stops where it cannot read."""

from typing import Any

import pytest

from services.chassis.messaging import control
from services.chassis.messaging.control import PAUSED, STOPPED, desired_state
from services.chassis.telemetry import metrics
from tests.support import toy
from tests.support.reading import expect_right, settled
from tests.support.road import Road, running, until


def group(road: Road) -> str:
    """The group of the hall."""
    return f"{road.world.name}.hall"


async def pause(road: Road) -> None:
    """Ask for a rest, and have it."""
    assert await control.pause(road.hall.mongo, group(road), "a look at something", "test")
    assert await control.wait_for_members(road.hall.mongo, group(road), 20) == []


async def test_a_paused_consumer_takes_nothing_until_it_is_resumed(road: Road) -> None:
    jar = await road.jar(1)
    await road.publish()
    consumer = await road.consumer()
    async with running(consumer):
        await settled(road, consumer)
        await pause(road)
        assert consumer.ready()

        async def measured() -> bool:  # the gauge follows the database by a moment
            return bool(metrics.consumer_resting.labels(PAUSED)._value.get() == 1)

        await until(measured)
        before = await consumer._reader._consumer.end_offsets(list(consumer._reader._consumer.assignment()))
        await road.drop(jar, 2)
        await road.publish()
        assert await consumer._reader._consumer.end_offsets(list(before)) != before
        await consumer._reader.pause(300)
        assert (await road.sum(jar)).order == [0, 1]
        assert await control.resume(road.hall.mongo, group(road), "test")
        assert not await control.resume(road.hall.mongo, group(road), "test")
        await settled(road, consumer)
        assert metrics.consumer_resting.labels(PAUSED)._value.get() == 0
    await expect_right(road, jar)


async def test_a_consumer_that_starts_paused_reads_nothing_and_a_new_member_asks_first(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    await control.pause(road.hall.mongo, group(road), "before it starts", "test")
    one, two = await road.consumer("hall-0"), await road.consumer("hall-1")
    async with running(one, two):

        async def both_wait() -> bool:
            desired = await desired_state(road.hall.mongo, group(road))
            return {"hall-0", "hall-1"} == set(desired.members) and not desired.waits_for()

        await until(both_wait)
        assert await road.hall.mongo.find("seen", {}, limit=1) == []
        await control.resume(road.hall.mongo, group(road), "test")

        async def all_there() -> bool:
            return (await road.sum(jar)).total == 3

        await until(all_there)
    assert (await desired_state(road.hall.mongo, group(road))).members == {}  # they have left


async def test_after_a_reset_to_the_beginning_all_comes_again_and_nothing_has_its_effect_twice(road: Road) -> None:
    jars = [await road.jar(1, 2) for _ in range(3)]
    await road.publish()
    consumer = await road.consumer()
    read: list[str] = []
    take = consumer._delivery.take

    async def counted(records: Any) -> None:
        read.extend(record.headers["ce_id"] for record in records)
        await take(records)

    consumer._delivery.take = counted  # type: ignore[method-assign]
    async with running(consumer):
        await settled(road, consumer)
        places = dict.fromkeys(consumer._reader.assigned(), 0)
        assert not await control.move(road.hall.mongo, group(road), places, "test")  # not while it runs
        await pause(road)
        assert await control.move(road.hall.mongo, group(road), places, "test")
        assert await control.wait_for_members(road.hall.mongo, group(road), 20) == []
        kafka = consumer._reader._consumer
        assert not any([await kafka.committed(place) for place in kafka.assignment()])
        await control.resume(road.hall.mongo, group(road), "test")
        await settled(road, consumer)
    assert sorted(read) == sorted([*set(read)] * 2)
    assert len(read) == 2 * 9
    await expect_right(road, *jars)


async def unreadable(road: Road, count: int) -> None:
    """Records that are none of our events."""
    for number in range(count):
        await road.put(f"stranger {number}", b"?", [])


async def test_a_topic_that_cannot_be_read_stops_the_consumer_instead_of_being_parked_whole(road: Road) -> None:
    await unreadable(road, 8)
    consumer = await road.consumer(most_failures=3)
    async with running(consumer):

        async def stopped() -> bool:
            return consumer.stopped() is not None

        await until(stopped)
        assert 3 <= len(await road.parked()) < 8
        assert "unreadable failed on more than 3 events in a row" in (consumer.stopped() or "")
        assert (await desired_state(road.hall.mongo, group(road))).state == STOPPED


async def test_a_stop_outlasts_a_restart(road: Road) -> None:
    await unreadable(road, 5)
    for _ in range(2):
        consumer = await road.consumer(most_failures=2)
        async with running(consumer):

            async def stopped(one: Any = consumer) -> bool:
                return one.stopped() is not None

            await until(stopped)
        await road.readers[-1].stop()
    assert len(await road.parked()) < 5


async def test_failures_between_successes_turn_nothing_off(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    consumer = await road.consumer(most_failures=2)
    async with running(consumer):
        for _ in range(5):
            await road.jar(13)
            await road.jar(1)
            await road.publish()
            await settled(road, consumer)
    assert len(await road.parked()) == 5
    assert consumer.off() == {}


async def test_failures_on_events_of_several_types_are_counted_for_each_type(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> None:
        raise ValueError("no sum is begun")

    old = [await road.jar() for _ in range(2)]
    await road.publish()
    consumer = await road.consumer(most_failures=3)
    async with running(consumer):
        await settled(road, consumer)
        monkeypatch.setattr(toy.Poison, "coins", {13})
        monkeypatch.setattr(toy, "begin_sum", fails)
        for jar in old:
            await road.drop(jar, 13)
            await road.jar()
        await road.publish()
        await settled(road, consumer)
    assert len(await road.parked()) == 4
    assert consumer.off() == {}, "three in a row of one type turn a reaction off: here are two of each"
