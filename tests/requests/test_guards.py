"""Guards of requests: every command is open exactly where its table says, and no guard can go unnoticed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.requests import guards_of_others
from tests.requests.guards import rows
from tests.requests.town import PATROL, Town
from tests.support import guards


@pytest.fixture
async def guarded(town: Town) -> Town:
    """A town with a volunteer team that has room for everything."""
    await town.team(PATROL, capacity=100_000)
    return town


async def test_every_command_is_open_exactly_where_the_table_says(guarded: Town) -> None:
    await guards.expect_right(guarded.container, "requests", [*await rows(guarded), *guards_of_others.rows(guarded)])


async def test_without_any_single_guard_the_table_fails(
    guarded: Town, record_property: Callable[[str, Any], None]
) -> None:
    line = await guards.experiment(guarded.container, [*await rows(guarded), *guards_of_others.rows(guarded)])
    record_property("line", f"guards of requests: {line}")
