"""A reaction reads the copies that it declares and no others, by whatever way it reads."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from services.chassis.domain.paging import Order
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Effect, Handled, Reaction, handler, reaction
from services.chassis.storage.batch_loader import by_id, by_ids
from services.chassis.storage.copy_reads import UndeclaredCopy
from services.chassis.usecase import Container, Context
from tests.contracts.toys import ToyMoved, delivered
from tests.support import toy
from tests.support.toy import JarCopy
from tests.support.world import World

Read = Callable[[Context], Awaitable[object]]
WAYS: dict[str, Read] = {
    "find": lambda ctx: ctx.store.find(JarCopy, {}, order=Order("_id"), limit=1),
    "count": lambda ctx: ctx.store.count(JarCopy, {}, limit=1),
    "get": lambda ctx: ctx.container.mongo.find_one(JarCopy.collection(), {}),
    "aggregate": lambda ctx: ctx.container.mongo.aggregate(JarCopy.collection(), [], 1),
    "by ids": lambda ctx: by_ids(ctx.container.mongo, JarCopy, ["jar_1"]),
    "by id": lambda ctx: by_id(ctx.container.mongo, JarCopy, "jar_1"),
    "documents by ids": lambda ctx: ctx.container.mongo.by_ids(JarCopy.collection(), ["jar_1"]),
}


@pytest.fixture
async def hall(world: World) -> AsyncIterator[Container]:
    """The hall's container."""
    container = await world.container(toy.hall)
    yield container
    await container.mongo.close()


def reading(read: Read, *reads: type[JarCopy]) -> Reaction:
    """A reaction that reads."""

    @reaction("reads", ToyMoved, reads=reads)
    async def reads_(ctx: Context, _: Delivered, __: ToyMoved) -> list[Effect]:
        await read(ctx)
        return []

    return reads_


async def run(one: Reaction, hall: Container) -> None:
    """Let it handle an event."""
    event = delivered()
    await (await handler(one, hall, [event]))(event)


@pytest.mark.parametrize("way", WAYS)
async def test_a_reaction_reads_a_copy_only_where_it_declares_it(hall: Container, way: str) -> None:
    with pytest.raises(UndeclaredCopy, match="reads reads copies_jar"):
        await run(reading(WAYS[way]), hall)
    await run(reading(WAYS[way], JarCopy), hall)
    with pytest.raises(UndeclaredCopy):
        await run(reading(WAYS[way]), hall)


async def test_what_is_read_for_a_whole_batch_counts_too(hall: Container) -> None:
    class Ahead(Reaction):
        async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
            await by_ids(container.mongo, JarCopy, ["jar_1"])
            return await super().batch(container, events)

    with pytest.raises(UndeclaredCopy):
        await handler(Ahead("ahead", {}, reading(WAYS["find"]).handle), hall, [delivered()])


async def test_who_is_no_reaction_reads_every_copy(hall: Container) -> None:
    await run(reading(WAYS["by id"], JarCopy), hall)
    for read in WAYS.values():
        await read(hall.system_context("test", "read"))
