"""What the tests of requests share: a town, built and settled once."""

from collections.abc import AsyncIterator

import pytest

from services.requests.app import service
from tests.requests.town import Town
from tests.support.world import Snapshot, World


@pytest.fixture(scope="session")
async def settled(lasting: World) -> AsyncIterator[tuple[Town, Snapshot]]:
    """A town built once: its indexes take longer than most tests."""
    container = await lasting.container(service)
    town = Town(lasting, container, lasting.app(service))
    await town.settle()
    yield town, await Snapshot.of(container)
    await container.mongo.close()


@pytest.fixture
async def town(settled: tuple[Town, Snapshot]) -> Town:
    """A settled town in which nobody has asked for anything yet."""
    town, at_first = settled
    await at_first.restore()
    return town
