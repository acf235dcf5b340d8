"""Guards of members: every command is open exactly where its table says, and no guard can go unnoticed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.members.guards import rows, settle
from tests.members.guards_of_phones import phone_rows
from tests.members.support import Members
from tests.support import guards


@pytest.fixture
async def guarded(members: Members) -> Members:
    """Members with those whom the commands name."""
    await settle(members.container)
    return members


def every_row(members: Members) -> list[guards.Row]:
    """What is right for everything that members does; a session is of somebody who has asked for a code before."""
    return [*phone_rows(members.container), *rows(members.container)]


async def test_every_command_is_open_exactly_where_the_table_says(guarded: Members) -> None:
    await guards.expect_right(guarded.container, "members", every_row(guarded))


async def test_without_any_single_guard_the_table_fails(
    guarded: Members, record_property: Callable[[str, Any], None]
) -> None:
    line = await guards.experiment(guarded.container, every_row(guarded))
    record_property("line", f"guards of members: {line}")
