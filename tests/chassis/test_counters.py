"""Counters: of many at once each counts, and what has room keeps it."""

import asyncio
from datetime import timedelta

import pytest

from services.chassis.domain.values import now
from services.chassis.storage.claims import Conflict
from services.chassis.storage.counters import Counters
from services.chassis.usecase import Container

LATER = now() + timedelta(hours=1)


@pytest.fixture
def counters(shop: Container) -> Counters:
    return Counters(shop.mongo)


async def test_of_many_that_count_at_once_each_counts(counters: Counters) -> None:
    found = await asyncio.gather(*(counters.up("codes", LATER) for _ in range(20)))
    assert max(found) == 20
    assert await counters.up("codes", LATER) == 21
    assert await counters.up("others", LATER) == 1


async def test_as_many_have_room_as_are_let_in_however_many_ask_at_once_and_keep_it(counters: Counters) -> None:
    keys = [f"key-{number}" for number in range(20)]
    found = await asyncio.gather(*(counters.among("day", key, 3, LATER) for key in keys))
    assert sum(found) == 3
    again = await asyncio.gather(*(counters.among("day", key, 3, LATER) for key in keys))
    assert again == found


async def test_one_key_that_asks_many_times_at_once_takes_one_room(counters: Counters) -> None:
    assert all(await asyncio.gather(*(counters.among("day", "one", 1, LATER) for _ in range(10))))
    assert not await counters.among("day", "two", 1, LATER)


async def test_who_notes_what_another_has_noted_meanwhile_looks_again(counters: Counters) -> None:
    at = now()
    first = await counters.lately("network", at - timedelta(hours=1))
    await counters.note("network", first, "a", at, LATER)
    with pytest.raises(Conflict):
        await counters.note("network", first, "b", at, LATER)
    second = await counters.lately("network", at - timedelta(hours=1))
    await counters.note("network", second, "b", at + timedelta(seconds=1), LATER)
    assert [*(await counters.lately("network", at - timedelta(hours=1))).times] == ["a", "b"]
    assert [*(await counters.lately("network", at)).times] == ["b"], "what was before does not count"
