"""The consumer: each event has its effect once, in order, despite repeats and crashes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging import consumer as consumer_module
from services.chassis.messaging import switches
from services.chassis.messaging.control import desired_state
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.memory import Memory
from services.chassis.messaging.reactions import AnyReaction, reaction
from services.chassis.messaging.switching import register
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.reading import consume, expect_right, headers, settled
from tests.support.road import Road, running, until
from tests.support.toy import CoinDropped

ALL = toy.hall.all_reactions


class Killed(BaseException):
    """What a process that is killed would not get over."""


async def test_every_event_has_its_effect_in_order(road: Road) -> None:
    jars = [await road.jar(1, 2, 3) for _ in range(5)]
    await road.publish()
    await consume(road)
    await expect_right(road, *jars)
    seen = await road.hall.mongo.find("seen", {}, limit=100)
    assert {entry["version"] for entry in seen} == {4}
    assert len(seen) == 10


async def test_a_topic_read_again_from_its_start_changes_nothing(road: Road) -> None:
    jars = [await road.jar(1, 2) for _ in range(3)]
    await road.publish()
    await consume(road)
    await consume(road, group="another group, the same database")
    await road.hall.mongo.delete("seen", {"_id": f"count-coins|{jars[0].id}"})  # the causes hold where memory is lost
    await consume(road, group="yet another")
    await expect_right(road, *jars)


async def test_what_comes_twice_in_one_batch_counts_once(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    jars = [await road.jar(1, 2) for _ in range(3)]
    for _ in range(3):
        relay = road.relay()
        await relay.send(await relay.read())  # and dies before it marks
    await road.publish()
    assert len(await road.records()) == 4 * 9
    await consume(road)
    await expect_right(road, *jars)


@pytest.mark.parametrize("point", ["before the effect", "before it is remembered", "before the commit"])
async def test_a_consumer_killed_between_any_two_steps_has_its_effects_once(
    road: Road, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    jars = [await road.jar(1, 2, 3) for _ in range(3)]
    await road.publish()
    first = await road.consumer()

    async def die(*_: Any) -> Any:
        raise Killed

    part, step = {
        "before the effect": (first._delivery, "_write"),
        "before it is remembered": (Memory, "_write"),
        "before the commit": (road.readers[0], "commit"),
    }[point]
    monkeypatch.setattr(part, step, die)
    with pytest.raises(BaseException) as death:
        await first.run()
    assert death.value.__class__ in (Killed, BaseExceptionGroup)
    monkeypatch.undo()
    await road.readers[0].stop()
    await consume(road)  # the same static member takes its partitions back at once
    await expect_right(road, *jars)
    assert await road.parked() == []


async def test_the_fetcher_of_the_client_waits_until_its_records_are_taken(road: Road) -> None:
    reader = await road.reader()
    assert reader._consumer._fetcher._prefetch_backoff > 1
    assert "_prefetch_backoff" in Fetcher.__init__.__code__.co_names, "aiokafka has another name for it"


async def test_an_event_whose_version_no_database_can_keep_is_parked(road: Road) -> None:
    jar = await road.jar(1)
    await road.publish()
    await road.put(jar.id, b'{"coins":1,"keeper":"x"}', headers(jar, 2**63, "linli.support.CoinDropped"))
    await consume(road)
    assert [reaction for reaction, _, _ in await road.parked()] == ["unreadable"]
    await expect_right(road, jar)


async def test_partitions_move_between_two_members_without_loss_or_double_effect(road: Road) -> None:
    jars = [await road.jar(1) for _ in range(12)]
    await road.publish()
    one, two = await road.consumer("hall-0"), await road.consumer("hall-1")
    async with running(one, two):

        async def shared() -> bool:
            ours, theirs = one._reader.assigned(), two._reader.assigned()
            return bool(ours) and bool(theirs) and len(ours) + len(theirs) == 12

        await until(shared)
        assert not one._reader.assigned() & two._reader.assigned()
        for number in range(3):
            for jar in jars:
                await road.drop(jar, number + 2)
            await road.publish()
        third = await road.consumer("hall-2")  # and again while events flow
        async with running(third):
            for jar in jars:
                await road.drop(jar, 9)
            await road.publish()

            async def all_there() -> bool:
                return [(await road.sum(jar)).total for jar in jars] == [19] * 12

            await until(all_there)
    await expect_right(road, *jars)


async def test_a_type_that_nobody_wants_is_skipped(road: Road) -> None:
    jar = await road.jar(1)
    await road.publish()
    await road.put(jar.id, b"{}", headers(jar, 3, "linli.support.JarPainted"))
    await consume(road)
    await expect_right(road, jar)
    assert await road.parked() == []


async def test_a_database_that_is_away_for_a_moment_is_waited_for_and_nothing_is_parked(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = [await road.jar(1, 2) for _ in range(2)]
    await road.publish()
    consumer = await road.consumer()
    bulk, find_one, calls = road.hall.mongo.bulk, road.hall.mongo.find_one, [0]

    async def shaky(*given: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] in (1, 2, 4, 7, 9, 10):
            raise Unavailable(retry_after=1)
        return await (bulk if isinstance(given[1], list) else find_one)(*given, **more)

    monkeypatch.setattr(road.hall.mongo, "bulk", shaky)
    monkeypatch.setattr(road.hall.mongo, "find_one", shaky)
    async with running(consumer):

        async def all_there() -> bool:
            found = await road.hall.mongo.find("seen", {"version": 3}, limit=9)
            return len(found) == 4

        await until(all_there)
        monkeypatch.undo()
        await settled(road, consumer)
    assert calls[0] > 10
    await expect_right(road, *jars)
    assert await road.parked() == []


async def test_a_new_reaction_in_a_group_that_reads_starts_off(road: Road) -> None:
    async def on(reactions: list[AnyReaction]) -> list[AnyReaction]:
        return switches.among(reactions, (await desired_state(road.hall.mongo, "hall")).switches)

    await register(road.hall.mongo, "hall", ALL, {})
    assert await on(list(ALL)) == list(ALL)

    @reaction("new-one", CoinDropped)
    async def new_one(ctx: Context, delivered: Delivered, event: Event) -> None:
        """Do nothing."""

    more: list[AnyReaction] = [*ALL, new_one]
    for confirmed in ({(road.topic, 0): 7}, {}):  # what was off once stays so
        await register(road.hall.mongo, "hall", more, confirmed)
        assert await on(more) == list(ALL)


async def test_a_stop_lets_the_batch_in_hand_end(road: Road) -> None:
    jars = [await road.jar(*range(1, 8)) for _ in range(3)]
    await road.publish()
    consumer = await road.consumer()
    task = asyncio.create_task(consumer.run())

    async def begun() -> bool:
        return (await road.sum(jars[0])).total > 0

    await until(begun)
    consumer.finish()
    await task
    await consume(road, reactions=ALL)
    await expect_right(road, *jars)


async def test_readiness_waits_for_partitions(road: Road) -> None:
    consumer = await road.consumer()
    assert not consumer.ready()
    async with running(consumer):

        async def ready() -> bool:
            return consumer.ready()

        await until(ready)


async def test_a_reaction_that_fails_for_a_moment_gets_its_next_try_after_a_pause(road: Road) -> None:
    await road.jar(1)
    await road.publish()
    tries: list[float] = []

    @reaction("falters", CoinDropped)
    async def falters(ctx: Context, delivered: Delivered, event: Event) -> None:
        tries.append(asyncio.get_running_loop().time())
        if len(tries) < 3:
            raise ValueError

    await consume(road, reactions=[falters])
    first, second, third = tries
    assert second - first >= 0.05
    assert third - second >= 0.1
    assert await road.parked() == []


async def test_an_effect_is_reported_once_when_it_is_written_with_the_trace_of_its_event(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    await toy.open_jar(replace(road.doing(), trace=f"00-{'a' * 32}-{'b' * 16}-01"), toy.OpenJar(label="plums"))
    await road.publish()
    bulk = road.hall.mongo.bulk
    lost: list[str] = []
    told_before: list[Any] = []

    async def lose_once(name: str, writes: Any) -> int:
        if name == "seen" and not lost:
            lost.append(name)
            told_before.extend(effects(lines))
            raise Unavailable(retry_after=1)
        return await bulk(name, writes)

    monkeypatch.setattr(road.hall.mongo, "bulk", lose_once)
    with capture_logs(processors=[merge_contextvars]) as lines:
        await consume(road, reactions=[toy.count_coins])
    assert (lost, told_before) == (["seen"], [])
    assert [line["trace_id"] for line in effects(lines)] == ["a" * 32]


def effects(lines: list[Any]) -> list[Any]:
    """The log lines that tell of effects."""
    return [line for line in lines if line["event"] == "an event had its effect"]


@given(st.lists(st.integers(1, 450), max_size=30))
def test_every_batch_is_in_one_bundle_and_a_bundle_is_no_more_than_is_taken_at_once(sizes: list[int]) -> None:
    batches = [[incoming_at(place, offset) for offset in range(size)] for place, size in enumerate(sizes)]
    bundles = list(consumer_module._bundles(batches))
    assert [batch for bundle in bundles for batch in bundle] == batches
    assert all(len(bundle) == 1 or sum(map(len, bundle)) <= consumer_module._BATCH for bundle in bundles)


def incoming_at(place: int, offset: int) -> Incoming:
    return Incoming("topic", place, offset, "key", b"", {})


async def test_more_than_is_taken_at_once_has_its_effects_in_order(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "_BATCH", 3)
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jars = [await road.jar(*range(1, 6)) for _ in range(12)] + [await road.jar(*range(1, 20))]
    await road.publish()
    consumer = await road.consumer()
    async with running(consumer):
        await settled(road, consumer)
    assert [(await road.sum(jar)).total for jar in jars] == [15] * 12 + [sum(range(1, 13))]
    assert len(await road.parked()) == 7  # the poisoned one, and all that follow it
