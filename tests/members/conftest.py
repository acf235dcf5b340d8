"""What the tests of members share: the service with a small city, built once, and its clock."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.runtime import service as services
from services.members.app import service
from tests.members.support import ADMINISTRATOR, AREAS, HALL, HALL_BY_IPV6, Clock, Members
from tests.support.world import Snapshot, World, keyed


@pytest.fixture(scope="session")
async def built(lasting: World) -> AsyncIterator[tuple[Members, Snapshot]]:
    """Members with seven areas, built once: indexes and application take longer than most tests."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(services, "now", clock.now)
        # A house takes its clock when it is opened.
        container, app = (
            await lasting.container(service, known_networks=f"{HALL},{HALL_BY_IPV6}"),
            lasting.app(service, known_networks=f"{HALL},{HALL_BY_IPV6}"),
        )
    members = Members(lasting, container, app, clock)
    async with app.router.lifespan_context(app):
        async with members.client(ADMINISTRATOR) as client:
            for code, level, name in AREAS:
                body = {"code": code, "level": level, "name": {"zh": name}}
                assert (await client.post("/v1/areas", json=body, headers=keyed())).status_code == 201
        yield members, await Snapshot.of(container)
    await container.mongo.close()


@pytest.fixture
async def members(built: tuple[Members, Snapshot]) -> Members:
    """Members with nothing but the areas, at the real time."""
    members, at_first = built
    members.clock.back()
    await at_first.restore()
    return members


@pytest.fixture
def clock(members: Members) -> Clock:
    """The clock by which the service's use cases go."""
    return members.clock
