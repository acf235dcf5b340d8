"""What is stored or on the wire by its name changes only where that is meant: `snapshots/names.json` shows it."""

import asyncio

import pytest

from tests.contracts import names
from tests.contracts.names import Names

_ADVICE = """
These names are stored or on the wire. Where the change is meant, run
    python -m tests.contracts.snapshot
and add a line for each change to CHANGELOG.md."""


@pytest.fixture(scope="module")
async def today() -> Names:
    """The names of today, found in a thread of its own: loops run there."""
    return await asyncio.to_thread(names.current)


async def test_every_name_that_is_stored_or_on_the_wire_is_as_it_was(today: Names) -> None:
    changed = names.changes(names.stored(), today)
    assert not changed, "\n".join([*changed, _ADVICE])


async def test_nothing_is_left_without_names(today: Names) -> None:
    assert [what for what, found in today.items() if not found] == []


async def test_a_name_that_changed_is_shown_as_gone_and_come(today: Names) -> None:
    renamed = {**today, "timers": [name.replace("case-clock", "clock") for name in today["timers"]]}
    assert names.changes(today, renamed) == [
        "- timers: requests: case-clock at cases.state.next_tick_at",
        "+ timers: requests: clock at cases.state.next_tick_at",
    ]


async def test_what_an_event_makes_has_the_id_of_its_cause_and_its_part(today: Names) -> None:
    values = dict(line.split(" = ") for line in today["values of known parts"])
    assert values["id of what a reaction makes"] == values["the same by hand"]
