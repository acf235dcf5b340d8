"""What the tests of requests share: a town, built and settled once."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.runtime.settings import Settings
from services.requests.app import service
from tests.requests.town import Town
from tests.support.world import Snapshot, World


@pytest.fixture(scope="session")
async def settled(lasting: World) -> AsyncIterator[tuple[Town, Snapshot]]:
    """A town built once: its indexes take longer than most tests. Both of its processes hold the same dependencies."""
    held: dict[type, Any] = {}

    def shared(settings: Settings) -> Mapping[type, Any]:
        held.update(held or service.dependencies(settings))
        return held

    one = replace(service, dependencies=shared)
    container = await lasting.container(one)
    town = Town(lasting, container, lasting.app(one))
    await town.settle()
    yield town, await Snapshot.of(container)
    await container.mongo.close()


@pytest.fixture
async def town(settled: tuple[Town, Snapshot]) -> Town:
    """A settled town in which nobody has asked for anything yet."""
    town, at_first = settled
    await at_first.restore()
    town.forget_calendar()
    return town
