"""A reaction that is new: it takes the past and is turned on, without a gap and without a duplicate."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.chassis.messaging import control, switching
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import PAUSED, RUNNING, desired_state
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.operations.backfill import NotNow, named
from services.chassis.storage.leases import Lease
from tests.support import toy
from tests.support.reading import expect_right, settled
from tests.support.road import Road, running, until
from tests.support.switching import ALL, backfill, group, lease, start

NEW = "note-coins"
OLD = [reaction for reaction in ALL if reaction.name != NEW]


async def register_one_more(road: Road, known: Sequence[AnyReaction]) -> None:
    """A version with one reaction more comes to a group that has read already."""
    await switching.register(road.hall.mongo, group(road), known, {})
    await switching.register(road.hall.mongo, group(road), ALL, {(road.topic, 0): 0})


async def upgraded(road: Road) -> Consumer:
    """A consumer of a new version: it has one more reaction, which is off since the group has read already."""
    await register_one_more(road, OLD)
    return await road.consumer(reactions=ALL)


async def test_a_new_reaction_takes_the_past_while_events_flow_and_is_on_from_then(road: Road) -> None:
    jars = [await road.jar(1, 2) for _ in range(6)]
    await road.publish()
    consumer = await upgraded(road)
    async with running(consumer):
        await settled(road, consumer)
        assert await road.notes(jars[0]) == []
        async with backfill(road, NEW) as one:
            assert await one.distance() == 18
            take = one._catch_up

            async def meanwhile(*given: Any) -> int:
                for jar in jars:
                    await road.drop(jar, 3)
                await road.publish()
                return await take(*given)

            one._catch_up = meanwhile  # type: ignore[method-assign, assignment]
            assert await one.run(lease(road), lambda _: None) >= 18
        assert (await desired_state(road.hall.mongo, group(road))).state == RUNNING
        for jar in jars:
            await road.drop(jar, 4)
        await road.publish()
        await settled(road, consumer)
    await expect_right(road, *jars)
    with pytest.raises(NotNow, match="is on"):
        await start(road, NEW)


@pytest.mark.parametrize("point", ["_take", "_turn_on"])
async def test_a_backfill_that_was_killed_continues_where_it_was(road: Road, point: str) -> None:
    jars = [await road.jar(1, 2, 3) for _ in range(5)]
    await road.publish()
    consumer = await upgraded(road)
    async with running(consumer):
        await settled(road, consumer)
        async with backfill(road, NEW) as one:
            done, calls = getattr(one, point), [0]

            async def die(*given: Any) -> Any:
                calls[0] += 1
                if point == "_turn_on" or calls[0] > 2:
                    raise KeyboardInterrupt
                return await done(*given)

            setattr(one, point, die)
            with pytest.raises(KeyboardInterrupt):
                await one.run(lease(road), lambda _: None)
        await control.pause(road.hall.mongo, group(road), "as a kill leaves it", "backfill of note-coins")
        await start(road, NEW)
        assert (await desired_state(road.hall.mongo, group(road))).state == RUNNING
        await road.drop(jars[0], 4)
        await road.publish()
        await settled(road, consumer)
    await expect_right(road, *jars)


async def test_a_pause_of_the_operator_outlasts_a_backfill(road: Road) -> None:
    jar = await road.jar(1)
    await road.publish()
    consumer = await upgraded(road)
    async with running(consumer):
        await settled(road, consumer)
        await control.pause(road.hall.mongo, group(road), "for reasons of my own", "operator")
        await start(road, NEW)
        assert (await desired_state(road.hall.mongo, group(road))).state == PAUSED
        await road.drop(jar, 2)
        await road.publish()
        await control.resume(road.hall.mongo, group(road), "operator")
        await settled(road, consumer)
    await expect_right(road, jar)


async def test_without_a_worker_it_is_done_all_the_same(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    consumer = await upgraded(road)
    async with running(consumer):
        await settled(road, consumer)
    await start(road, NEW)
    await expect_right(road, jar)


async def test_what_fails_in_a_backfill_is_parked_and_waits_when_it_is_on(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    late: Sequence[AnyReaction] = [reaction for reaction in ALL if reaction.name != "count-coins"]
    sick, well = await road.jar(1, 13), await road.jar(1)
    await road.publish()
    await register_one_more(road, late)
    consumer = await road.consumer(reactions=ALL)
    async with running(consumer):
        await settled(road, consumer)
        async with backfill(road, "count-coins") as one:
            await one.run(lease(road), lambda _: None)
        await road.drop(sick, 2)
        await road.drop(well, 2)
        await road.publish()

        async def parked() -> bool:
            return len(await road.parked()) == 2

        await until(parked)
        await settled(road, consumer)
    assert (await road.sum(sick)).order == [0, 1]
    await expect_right(road, well)


async def test_only_one_runs_at_a_time_and_wrong_names_are_reported(road: Road) -> None:
    await register_one_more(road, ())
    held = Lease(road.hall.mongo, "backfill", "another", 30)
    assert await held.acquire()
    async with backfill(road, NEW) as one:
        with pytest.raises(NotNow, match="is running already"):
            await one.run(lease(road), lambda _: None)
    with pytest.raises(NotNow, match="choose one of copy-jar, count-coins, note-coins"):
        named(ALL, "note-coin")
