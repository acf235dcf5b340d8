"""What the tests of requests share: a town, built once and settled anew for each test."""

from collections.abc import AsyncIterator

import pytest

from services.requests.app import service
from tests.requests.town import Town
from tests.support.world import World, forget


@pytest.fixture(scope="session")
async def built(lasting: World) -> AsyncIterator[Town]:
    """A town built once: its indexes take longer than most tests."""
    house = await lasting.house(service)
    yield Town(lasting, house, lasting.app(service))
    await house.mongo.close()


@pytest.fixture
async def town(built: Town) -> Town:
    """A settled town in which nobody has asked for anything yet."""
    await forget(built.house)
    await built.settle()
    return built
