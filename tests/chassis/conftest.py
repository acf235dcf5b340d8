"""What the tests of the chassis share: the toy's houses, on either driver."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.domain.scope import Actor
from services.chassis.usecase import Container, Context
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.operating import Operator
from tests.support.rack import DUE
from tests.support.road import Road
from tests.support.world import World


@dataclass
class Doer:
    """Acts in a house, each time for another cause unless one is given."""

    container: Container
    actor: Actor = toy.KEEPER
    count: int = field(default=0)

    def __call__(self, cause: str | None = None, actor: Actor | None = None, **more: object) -> Context:
        """A context for the next use case."""
        self.count += 1
        return self.container.context(actor or self.actor, cause or f"test:{self.count}", **more)


@pytest.fixture
async def road(world: World) -> AsyncIterator[Road]:
    """The road from the shop to the hall, with topics of its own."""
    async with Road.open(world) as road:
        yield road


@pytest.fixture
async def city(world: World) -> AsyncIterator[City]:
    """A toy city of this test's own."""
    async with City.open(world) as opened:
        yield opened


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """13 coins are poison to the reaction that counts."""
    monkeypatch.setattr(toy.Poison, "coins", {13})


@pytest.fixture
def linli(world: World, tmp_path: Path) -> Operator:
    """An operator at this world's databases and broker."""
    return Operator(world, tmp_path / "home")


@pytest.fixture
def parked(world: World, tmp_path: Path) -> Operator:
    """The same, who types `linli parked` before everything."""
    return Operator(world, tmp_path / "home", "parked")


@pytest.fixture
async def shop(world: World) -> AsyncIterator[Container]:
    """The shop's house on a database of its own."""
    container = await world.container(toy.shop)
    yield container
    await container.mongo.close()


@pytest.fixture
def rack(shop: Container) -> Container:
    """The shop on the second of January 2026."""
    return replace(shop, clock=lambda: DUE + timedelta(days=1))


@pytest.fixture(params=["motor", "pymongo"])
async def either(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Container]:
    """The shop's house, once on each driver."""
    world.overrides["mongo_driver"] = request.param
    container = await world.container(toy.shop)
    yield container
    await container.mongo.close()


@pytest.fixture
def doing(shop: Container) -> Doer:
    """Acts in the shop."""
    return Doer(shop)
