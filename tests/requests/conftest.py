"""What the tests of requests share: a town, built once and settled anew for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.requests.app import service
from tests.requests.town import Town
from tests.support.world import Stores, World

CITY_DATA = Path(__file__).resolve().parents[2] / "deploy" / "cities" / "hulunbuir"


@pytest.fixture(scope="session")
async def built(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town built once: its indexes take longer than most tests."""
    brokers, uris = stores
    world = World(brokers, uris, tmp_path_factory.mktemp("town"), CITY_DATA)
    house = await world.house(service)
    yield Town(world, house, world.app(service))
    await house.mongo.close()


@pytest.fixture
async def town(built: Town) -> Town:
    """A settled town in which nobody has asked for anything yet."""
    await built.empty()
    await built.settle()
    return built
