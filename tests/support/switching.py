"""Reactions of the hall turned off and on, as operators and workers do it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from services.chassis.messaging import switches, switching
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import desired_state
from services.chassis.messaging.kafka import TopicReader
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switches import OFF
from services.chassis.operations.backfill import Backfill
from services.chassis.storage.leases import Lease
from tests.support import toy
from tests.support.road import Road, until

ALL = toy.hall.all_reactions


def group(road: Road) -> str:
    """The group of the hall."""
    return f"{road.world.name}.hall"


async def known(road: Road) -> switches.Switches:
    """The switches of the hall."""
    return (await desired_state(road.hall.mongo, group(road))).switches


@asynccontextmanager
async def backfill(road: Road, name: str, among: Sequence[AnyReaction] = ALL) -> AsyncIterator[Backfill]:
    """A backfill in the hall."""
    async with TopicReader(road.world.kafka).open() as past:
        yield Backfill(road.hall, past, among, name, group(road), [road.topic])


def lease(road: Road) -> Lease:
    """The right to be the only one."""
    return Lease(road.hall.mongo, "backfill", "test", 30)


async def start(
    road: Road, name: str, among: Sequence[AnyReaction] = ALL, say: Callable[[str], None] = lambda _: None
) -> int:
    """What `linli reactions start` does."""
    async with backfill(road, name, among) as one:
        return await one.run(lease(road), say)


async def stop(road: Road, name: str, consumer: Consumer) -> None:
    """What `linli reactions stop` does; until the consumer has learned of it."""
    confirmed = await consumer._reader.confirmed()
    await switching.turn_off(road.hall.mongo, group(road), {name: "wrong"}, "operator me", confirmed)

    async def learned() -> bool:
        return name in consumer.off()

    await until(learned)


async def off(road: Road, name: str) -> None:
    """Wait until a reaction is off."""

    async def is_off() -> bool:
        return (await known(road))[name].state == OFF

    await until(is_off)
