"""The service with a small city and a clock, for one test."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.ops import service as services
from services.members.app import service
from tests.members.support import ADMINISTRATOR, AREAS, Clock, Members
from tests.support.world import World, keyed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which the service's use cases go."""
    made = Clock()
    monkeypatch.setattr(services, "now", made.now)
    return made


@pytest.fixture
async def members(world: World, clock: Clock) -> AsyncIterator[Members]:
    """Members on an empty database, with seven areas; without indexes, which take longer to build than a test runs."""
    house, app = services.open_house(service, world.settings()), world.app(service)
    running = Members(world, house, app)
    async with app.router.lifespan_context(app):
        async with running.client(ADMINISTRATOR) as client:
            for code, level, name in AREAS:
                body = {"code": code, "level": level, "name": name}
                assert (await client.post("/v1/areas", json=body, headers=keyed())).status_code == 201
        yield running
    await house.mongo.close()
