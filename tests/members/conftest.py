"""What the tests of members share: the service, built once, with a small city and a clock set anew for each test."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.ops import service as services
from services.members.app import service
from tests.members.support import ADMINISTRATOR, AREAS, Clock, Members
from tests.support.world import World, forget, keyed


@pytest.fixture(scope="session")
async def built(lasting: World) -> AsyncIterator[Members]:
    """Members built once: indexes and application take longer than most tests."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(services, "now", clock.now)
        house, app = await lasting.house(service), lasting.app(service)
    async with app.router.lifespan_context(app):
        yield Members(lasting, house, app, clock)
    await house.mongo.close()


@pytest.fixture
async def members(built: Members) -> Members:
    """Members with nothing but seven areas, at the real time."""
    built.clock.back()
    await forget(built.house)
    async with built.client(ADMINISTRATOR) as client:
        for code, level, name in AREAS:
            body = {"code": code, "level": level, "name": name}
            assert (await client.post("/v1/areas", json=body, headers=keyed())).status_code == 201
    return built


@pytest.fixture
def clock(members: Members) -> Clock:
    """The clock by which the service's use cases go."""
    return members.clock
