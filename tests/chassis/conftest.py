"""What the tests of the chassis share: the toy's houses, on either driver."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from services.chassis.domain.scope import Actor
from services.chassis.usecase import Context, House
from tests.support import toy
from tests.support.road import Road
from tests.support.world import World


@dataclass
class Doer:
    """Acts in a house, each time for another cause unless one is given."""

    house: House
    actor: Actor = toy.KEEPER
    count: int = field(default=0)

    def __call__(self, cause: str | None = None, actor: Actor | None = None, **more: object) -> Context:
        """A context for the next use case."""
        self.count += 1
        return self.house.context(actor or self.actor, cause or f"test:{self.count}", **more)


@pytest.fixture
async def road(world: World) -> AsyncIterator[Road]:
    """The road from the shop to the hall, with topics of its own."""
    async with Road.open(world) as road:
        yield road


@pytest.fixture
async def shop(world: World) -> AsyncIterator[House]:
    """The shop's house on a database of its own."""
    house = await world.house(toy.shop)
    yield house
    await house.mongo.close()


@pytest.fixture(params=["motor", "pymongo"])
async def either(world: World, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """The shop's house, once on each driver."""
    world.overrides["mongo_driver"] = request.param
    house = await world.house(toy.shop)
    yield house
    await house.mongo.close()


@pytest.fixture
def doing(shop: House) -> Doer:
    """Acts in the shop."""
    return Doer(shop)
