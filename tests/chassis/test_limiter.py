"""The concurrency limiter: limited concurrency, waiting in order, a bounded wait, and a short one under overload."""

import asyncio
import random
from contextlib import suppress

import pytest

from services.chassis.http import limiter as module
from services.chassis.http.limiter import ConcurrencyLimiter

PATIENT = 30.0
"""Longer than any test here."""


async def _queued(limiter: ConcurrencyLimiter, many: int) -> list[asyncio.Task[bool]]:
    """So many callers who wait in the queue by now."""
    tasks = [asyncio.create_task(limiter.enter()) for _ in range(many)]
    await asyncio.sleep(0)
    return tasks


async def test_who_waits_goes_in_by_turns_as_others_leave() -> None:
    limiter, order = ConcurrencyLimiter(1, PATIENT), []

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


async def test_a_queue_that_moves_is_no_overload_however_long_it_is() -> None:
    limiter = ConcurrencyLimiter(4, PATIENT)

    async def visit() -> bool:
        entered = await limiter.enter()
        if entered:
            await asyncio.sleep(0.001)
            limiter.leave()
        return entered

    assert all(await asyncio.gather(*(visit() for _ in range(400))))
    assert limiter.inside == 0


async def test_who_waits_in_vain_is_turned_away_and_takes_no_place() -> None:
    limiter = ConcurrencyLimiter(1, 0.05)
    assert await limiter.enter()
    assert not await limiter.enter()
    limiter.leave()
    assert limiter.inside == 0
    assert await limiter.enter()


async def test_the_queue_is_short_from_the_first_wait_in_vain_until_a_place_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SHORT_WAIT", 0.0)
    limiter = ConcurrencyLimiter(1, PATIENT)
    assert await limiter.enter()
    waiting = await _queued(limiter, 9)
    oldest = next(iter(limiter._queue))
    limiter._queue[oldest] -= PATIENT
    limiter._look()
    async with asyncio.timeout(PATIENT / 2):
        assert not any(await asyncio.gather(*waiting))  # the younger ones with the oldest
        assert not await limiter.enter()  # and the next caller waits no longer
    limiter.leave()
    assert await limiter.enter()
    (patient,) = await _queued(limiter, 1)
    await asyncio.sleep(0.05)
    limiter.leave()
    assert await patient


async def test_a_full_queue_is_overload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 16)
    limiter = ConcurrencyLimiter(2, PATIENT)
    assert [await limiter.enter() for _ in range(2)] == [True, True]
    waiting = await _queued(limiter, 16)
    assert not await limiter.enter()
    for _ in range(18):
        limiter.leave()
    assert all(await asyncio.gather(*waiting))
    assert limiter.inside == 0


async def test_a_caller_who_leaves_at_any_moment_leaves_no_place_taken_or_given_twice() -> None:
    limiter, chance, most_inside = ConcurrencyLimiter(3, 0.01), random.Random(7), [0]

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


async def test_those_who_are_gone_take_no_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 8)
    limiter = ConcurrencyLimiter(1, PATIENT)
    assert await limiter.enter()
    gone = await _queued(limiter, 8)
    for task in gone:
        task.cancel()
    await asyncio.wait(gone)
    (late,) = await _queued(limiter, 1)
    limiter.leave()
    assert await late
