"""Guards of notify: every command is open exactly where its table says, and no guard can go unnoticed."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.chassis.usecase import Container
from services.notify.app import service
from tests.notify.guards import rows
from tests.support import guards
from tests.support.world import World


@pytest.fixture
async def container(world: World) -> AsyncIterator[Container]:
    """Notify without its consumer: commands need none."""
    container = await world.container(service)
    yield container
    await container.mongo.close()


async def test_every_command_is_open_exactly_where_the_table_says(container: Container) -> None:
    await guards.expect_right(container, "notify", rows(container))


async def test_without_any_single_guard_the_table_fails(
    container: Container, record_property: Callable[[str, Any], None]
) -> None:
    line = await guards.experiment(container, rows(container))
    record_property("line", f"guards of notify: {line}")
