"""The concurrency limiter: limited concurrency, waiting in order, and a bounded wait."""

import asyncio
import random
from contextlib import suppress

import pytest

from services.chassis.http import limiter as module
from services.chassis.http.limiter import ConcurrencyLimiter


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 5.0)
    monkeypatch.setattr(module, "_SHORT_TIMEOUT", 0.0)


async def test_who_waits_goes_in_by_turns_as_others_leave() -> None:
    limiter, order = ConcurrencyLimiter(1), []

    async def visit(name: str) -> None:
        if await limiter.enter():
            order.append(name)

    await visit("first")
    waiting = [asyncio.create_task(visit(name)) for name in ("second", "third")]
    for expected in (["first"], ["first", "second"], ["first", "second", "third"]):
        await asyncio.sleep(0.01)
        assert order == expected
        limiter.leave()
    await asyncio.gather(*waiting)
    assert limiter.inside == 0


async def test_a_burst_passes_where_places_become_free() -> None:
    limiter = ConcurrencyLimiter(4)

    async def visit() -> bool:
        entered = await limiter.enter()
        if entered:
            await asyncio.sleep(0.005)
            limiter.leave()
        return entered

    assert all(await asyncio.gather(*(visit() for _ in range(36))))
    assert limiter.inside == 0


async def test_who_waits_in_vain_is_turned_away_and_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 0.05)
    limiter = ConcurrencyLimiter(1)
    assert await limiter.enter()
    assert not await limiter.enter()
    limiter.leave()
    assert limiter.inside == 0
    assert await limiter.enter()


async def test_in_a_full_queue_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 0.05)
    limiter = ConcurrencyLimiter(1)
    assert await limiter.enter()
    assert not await limiter.enter()
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 0.0)  # it has stood for that long; what follows would wait for ever
    late = asyncio.create_task(limiter.enter())
    assert await asyncio.wait_for(late, 5) is False
    limiter.leave()
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 5.0)
    assert await limiter.enter()  # it is over at once when nobody is left
    burst = asyncio.create_task(limiter.enter())
    await asyncio.sleep(0.01)
    limiter.leave()
    assert await burst


async def test_the_queue_is_no_longer_than_eight_times_the_places() -> None:
    limiter = ConcurrencyLimiter(2)
    assert [await limiter.enter() for _ in range(2)] == [True, True]
    waiting = [asyncio.create_task(limiter.enter()) for _ in range(16)]
    await asyncio.sleep(0)
    assert not await limiter.enter()
    for _ in range(18):
        limiter.leave()
    assert all(await asyncio.gather(*waiting))


async def test_a_caller_who_leaves_at_any_moment_leaves_no_place_taken_or_given_twice() -> None:
    limiter, chance, most_inside = ConcurrencyLimiter(3), random.Random(7), [0]

    async def visit() -> None:
        if not await limiter.enter():
            return
        most_inside[0] = max(most_inside[0], limiter.inside)
        try:
            await asyncio.sleep(chance.random() / 500)
        finally:
            limiter.leave()

    async def impatient() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(visit(), chance.random() / 200)

    await asyncio.gather(*(impatient() for _ in range(20)), *(visit() for _ in range(4)))
    for _ in range(20):
        await asyncio.gather(*(impatient() for _ in range(20)))
    assert most_inside[0] <= 3
    assert limiter.inside == 0
    assert [await limiter.enter() for _ in range(3)] == [True] * 3


async def test_those_who_gave_up_take_no_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = ConcurrencyLimiter(1)
    assert await limiter.enter()
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 0.0)
    assert not any(await asyncio.gather(*(limiter.enter() for _ in range(8))))
    monkeypatch.setattr(module, "_QUEUE_TIMEOUT", 5.0)
    monkeypatch.setattr(module, "_SHORT_TIMEOUT", 5.0)
    late = asyncio.create_task(limiter.enter())
    await asyncio.sleep(0.01)
    limiter.leave()
    assert await late
