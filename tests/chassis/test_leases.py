"""Leases: one holder at a time, and a worker that restarts takes its own back at once."""

import asyncio

from services.chassis.storage.leases import Lease
from services.chassis.usecase import Container


def lease(container: Container, holder: str, seconds: float = 30) -> Lease:
    return Lease(container.mongo, "relay", holder, seconds)


async def test_of_many_only_one_holds_it(either: Container) -> None:
    held = await asyncio.gather(*(lease(either, f"worker-{number}").acquire() for number in range(8)))
    assert sum(held) == 1


async def test_it_passes_on_when_given_up_or_run_out(shop: Container) -> None:
    first, second = lease(shop, "a"), lease(shop, "b", 0.2)
    assert (await first.acquire(), await second.acquire()) == (True, False)
    await first.release()
    assert await second.acquire()
    third = lease(shop, "c")
    assert not await third.acquire()
    await asyncio.sleep(0.3)
    assert await third.acquire()
    assert not await second.acquire()


async def test_a_holder_that_renews_keeps_it(shop: Container) -> None:
    first, second = lease(shop, "a", 0.3), lease(shop, "b", 0.3)
    for _ in range(8):
        assert await first.acquire()
        assert not await second.acquire()
        await asyncio.sleep(0.05)


async def test_a_restart_takes_its_own_back_at_once_and_shuts_its_older_process_out(shop: Container) -> None:
    older = lease(shop, "worker-0", 0.6)
    assert await older.acquire()
    newer = lease(shop, "worker-0")
    assert await newer.acquire()
    await asyncio.sleep(0.3)  # the older one asks again when a third of its time has gone
    assert not await older.acquire()
    assert await newer.acquire()
    await older.release()
    assert not await lease(shop, "worker-1").acquire()


async def test_two_processes_of_one_place_do_not_take_turns(shop: Container) -> None:
    one, two = lease(shop, "worker-0", 0.15), lease(shop, "worker-0", 30)
    assert await one.acquire()
    assert await two.acquire()
    for _ in range(3):
        await asyncio.sleep(0.06)
        assert (await one.acquire(), await two.acquire()) == (False, True)
