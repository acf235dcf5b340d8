"""A partition is reassigned during a batch: nothing runs ahead, and nothing is parked without its new owner's
knowledge."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest

from services.chassis.domain.events import Event
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming, Reader
from services.chassis.messaging.kafka.records import incoming
from services.chassis.messaging.parking import Parking
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.reading import consume, expect_right, settled
from tests.support.road import Road, running, until
from tests.support.toy import CoinDropped, Jar

ALL = toy.hall.all_reactions
MANY = 18  # on twelve partitions: some are on those that move, some on those that stay


async def share(road: Road, first: Reader) -> Reader:
    """A second member, to whom half of the partitions have moved."""
    second = await road.reader("hall-1")

    async def shared() -> bool:
        return len(first.assigned()) == len(second.assigned()) == 6

    await until(shared)
    return second


async def gathered(reader: Reader, count: int) -> list[list[Incoming]]:
    """This many records as one poll of theirs."""
    found: dict[int, list[Incoming]] = defaultdict(list)
    while sum(map(len, found.values())) < count:
        for records in await reader.poll(100):
            found[records[0].partition] += records
    return list(found.values())


async def test_a_batch_in_hand_whose_partition_has_moved_never_runs_ahead_of_what_is_parked(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.Poison, "coins", {13})
    jars = [await road.jar(13) for _ in range(MANY)]
    await road.publish()
    first = await road.consumer()
    await consume(road, first)
    one = first._reader
    for jar in jars:
        await road.drop(jar, 2)
    await road.publish()
    late = await road.member(one, ALL)
    batches, two = await gathered(one, MANY), await share(road, one)

    async def poll(_: int) -> list[list[Incoming]]:
        late.finish()
        return batches

    with monkeypatch.context() as patched:
        patched.setattr(one, "poll", poll)
        await late.run()
    assert [(await road.sum(jar)).order for jar in jars] == [[0]] * MANY
    async with running(await road.member(one, ALL), await road.member(two, ALL, "hall-1")):

        async def all_wait() -> bool:
            return len(await road.parked()) == 2 * MANY

        await until(all_wait)  # what was given up was not confirmed either
    assert [(await road.sum(jar)).order for jar in jars] == [[0]] * MANY


async def test_what_fails_after_its_partition_has_moved_is_left_to_the_new_owner(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = {(await road.jar(5)).id for _ in range(MANY)}
    await road.publish()
    begun, moved = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    @reaction("fails-once", CoinDropped)
    async def fails_once(ctx: Context, delivered: Delivered, event: Event) -> None:
        if not mended:
            begun.set()
            await moved.wait()
            raise ValueError
        done.append(delivered.entity)

    mended = False
    first = await road.consumer(reactions=[fails_once])
    confirmed: list[Incoming] = []

    async def confirm(read: Sequence[Incoming]) -> bool:
        confirmed.extend(read)
        return True

    with monkeypatch.context() as patched:
        patched.setattr(first._reader, "commit", confirm)
        async with running(first):
            await begun.wait()
            two = await share(road, first._reader)
            first.finish()
            moved.set()
    assert (await road.parked(), confirmed) == ([], [])
    mended = True
    one = await road.member(first._reader, [fails_once])
    async with running(one, await road.member(two, [fails_once], "hall-1")):

        async def all_done() -> bool:
            return set(done) == jars

        await until(all_done)
    assert await road.parked() == []


async def late_parked(road: Road, jar: Jar) -> None:
    """The last event of a jar, parked by one who had its partition before, after somebody else has read on."""
    last = [r for r in await road.records() if r.key.decode() == jar.id][-1]
    await Parking(road.hall.mongo, []).park("count-coins", Delivered.of(incoming(last)), "too late")


async def test_what_was_parked_behind_its_owners_back_can_be_replayed(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    consumer = await road.consumer()
    async with running(consumer):
        await settled(road, consumer)
        await late_parked(road, jar)
        await road.hall.mongo.update("parked", {"entity": jar.id}, {"$set": {"replay": True}})

        async def replayed() -> bool:
            return not await road.parked()

        await until(replayed)
    await expect_right(road, jar)
