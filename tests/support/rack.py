"""Jars that ripen on the first of January 2026, for tests of timers and of their scheduler."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from services.chassis.guards import visible
from services.chassis.schedule.scheduler import Scheduler
from services.chassis.schedule.timers import Timer
from services.chassis.storage.leases import Lease
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.road import until
from tests.support.toy import Jar, JarOpened

DUE = datetime(2026, 1, 1, tzinfo=UTC)
RIPEN = toy.shop.timers[0]


async def a_jar(container: Container, minutes: int, label: str = "plums") -> Jar:
    """A jar that ripens these minutes after the first of January, and a day later again: for 0 that is past, too."""
    async with container.context(toy.KEEPER, f"opening {label} {minutes}", within=visible).store.create(Jar) as jar:
        jar.record(JarOpened(label=label, keeper="keeper", ripe_at=DUE + timedelta(minutes=minutes)))
    return jar


async def ripened(container: Container, jar: Jar) -> int:
    """How often a jar has ripened."""
    return (await container.context(toy.KEEPER, "read").store.get(Jar, jar.id)).ripened


async def all_ripened(container: Container, jars: Sequence[Jar], times: int = 1) -> None:
    """Wait until each of these jars has ripened so often."""

    async def ripe() -> bool:
        return [await ripened(container, jar) for jar in jars] == [times] * len(jars)

    await until(ripe, 10)


def lease_of(container: Container, holder: str = "shop-0", seconds: float = 30) -> Lease:
    """The lease of the scheduler, for a worker."""
    return Lease(container.mongo, "timers", holder, seconds)


@asynccontextmanager
async def scheduling(container: Container, *timers: Timer, lease: Lease | None = None) -> AsyncIterator[Scheduler]:
    """A scheduler at work."""
    scheduler = Scheduler(timers, (), container, lease or lease_of(container))
    running = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
        assert not running.done() or scheduler._finishing
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
