"""The gate before the routes: so many at once, the next in turn, nobody for longer than it is of use."""

import asyncio
import random
from contextlib import suppress

import pytest

from services.chassis.http import limiter as module
from services.chassis.http.limiter import ConcurrencyLimiter


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 5.0)
    monkeypatch.setattr(module, "_SHORT", 0.0)


async def test_who_waits_goes_in_by_turns_as_others_leave() -> None:
    gate, order = ConcurrencyLimiter(1), []

    async def visit(name: str) -> None:
        if await gate.enter():
            order.append(name)

    await visit("first")
    waiting = [asyncio.create_task(visit(name)) for name in ("second", "third")]
    for expected in (["first"], ["first", "second"], ["first", "second", "third"]):
        await asyncio.sleep(0.01)
        assert order == expected
        gate.leave()
    await asyncio.gather(*waiting)
    assert gate.inside == 0


async def test_a_burst_passes_where_places_become_free() -> None:
    gate = ConcurrencyLimiter(4)

    async def visit() -> bool:
        entered = await gate.enter()
        if entered:
            await asyncio.sleep(0.005)
            gate.leave()
        return entered

    assert all(await asyncio.gather(*(visit() for _ in range(36))))
    assert gate.inside == 0


async def test_who_waits_in_vain_is_turned_away_and_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    gate = ConcurrencyLimiter(1)
    assert await gate.enter()
    assert not await gate.enter()
    gate.leave()
    assert gate.inside == 0
    assert await gate.enter()


async def test_in_a_queue_that_stands_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    gate = ConcurrencyLimiter(1)
    assert await gate.enter()
    assert not await gate.enter()
    monkeypatch.setattr(module, "_PATIENCE", 0.0)  # it has stood for that long; what follows would wait for ever
    late = asyncio.create_task(gate.enter())
    assert await asyncio.wait_for(late, 5) is False
    gate.leave()
    monkeypatch.setattr(module, "_PATIENCE", 5.0)
    assert await gate.enter()  # it is over at once when nobody is left
    burst = asyncio.create_task(gate.enter())
    await asyncio.sleep(0.01)
    gate.leave()
    assert await burst


async def test_the_queue_is_no_longer_than_eight_times_the_places() -> None:
    gate = ConcurrencyLimiter(2)
    assert [await gate.enter() for _ in range(2)] == [True, True]
    waiting = [asyncio.create_task(gate.enter()) for _ in range(16)]
    await asyncio.sleep(0)
    assert not await gate.enter()
    for _ in range(18):
        gate.leave()
    assert all(await asyncio.gather(*waiting))


async def test_whoever_goes_away_at_any_moment_leaves_no_place_taken_or_given_twice() -> None:
    gate, chance, most_inside = ConcurrencyLimiter(3), random.Random(7), [0]

    async def visit() -> None:
        if not await gate.enter():
            return
        most_inside[0] = max(most_inside[0], gate.inside)
        try:
            await asyncio.sleep(chance.random() / 500)
        finally:
            gate.leave()

    async def impatient() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(visit(), chance.random() / 200)

    await asyncio.gather(*(impatient() for _ in range(20)), *(visit() for _ in range(4)))
    for _ in range(20):
        await asyncio.gather(*(impatient() for _ in range(20)))
    assert most_inside[0] <= 3
    assert gate.inside == 0
    assert [await gate.enter() for _ in range(3)] == [True] * 3


async def test_those_who_gave_up_take_no_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = ConcurrencyLimiter(1)
    assert await gate.enter()
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    assert not any(await asyncio.gather(*(gate.enter() for _ in range(8))))
    monkeypatch.setattr(module, "_PATIENCE", 5.0)
    monkeypatch.setattr(module, "_SHORT", 5.0)
    late = asyncio.create_task(gate.enter())
    await asyncio.sleep(0.01)
    gate.leave()
    assert await late
