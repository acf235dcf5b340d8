"""Timers: what is due is done, oldest first, once, and what fails does not hold up the rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.schedule import timers
from services.chassis.storage.leases import Lease
from services.chassis.telemetry import metrics
from services.chassis.usecase import Container, Context
from tests.support import toy
from tests.support.toy import Jar, JarOpened

DUE = datetime(2026, 1, 1, tzinfo=UTC)
RIPEN = toy.shop.timers[0]


@pytest.fixture
async def rack(shop: Container) -> AsyncIterator[Container]:
    """The shop on the second of January 2026."""
    yield replace(shop, clock=lambda: DUE + timedelta(days=1))


async def a_jar(container: Container, minutes: int, label: str = "plums") -> Jar:
    async with container.context(toy.KEEPER, f"opening {label} {minutes}", within=visible).store.create(Jar) as jar:
        jar.record(JarOpened(label=label, keeper="keeper", ripe_at=DUE + timedelta(minutes=minutes)))
    return jar


async def at_work(
    container: Container, lease: Lease, work: Any = toy.ripen, finishing: asyncio.Event | None = None
) -> None:
    await timers.run(replace(RIPEN, work=work, every=0.02), container, lease, finishing or asyncio.Event())


async def ripened(container: Container, jar: Jar) -> int:
    return (await container.context(toy.KEEPER, "read").store.get(Jar, jar.id)).ripened


async def test_the_oldest_are_done_first(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 1)
    monkeypatch.setattr(timers, "_BATCH", 3)
    jars = {minutes: await a_jar(rack, minutes) for minutes in (5, 1, 4, 2, 3)}
    done: list[str] = []

    async def note(ctx: Context, id: str) -> Jar:
        done.append(id)
        return await toy.ripen(ctx, id)

    timer = replace(RIPEN, work=note)
    assert [await timers.sweep(timer, rack) for _ in range(3)] == [3, 2, 0]
    assert done == [jars[minutes].id for minutes in (1, 2, 3, 4, 5)]


async def test_what_is_not_due_or_has_no_time_is_left(rack: Container) -> None:
    later = await a_jar(rack, 60 * 24 + 1)
    await toy.open_jar(rack.context(toy.KEEPER, "timeless"), toy.OpenJar(label="a"))
    assert await timers.sweep(RIPEN, rack) == 0
    assert await ripened(rack, later) == 0


async def test_a_delay_holds_for_all_entities_as_it_is_now_and_without_one_none_is_due(rack: Container) -> None:
    """The rack's clock is a day after DUE."""
    jars = [await a_jar(rack, minutes) for minutes in (0, 60)]
    day, never = timedelta(days=1), replace(RIPEN, delay=lambda _: None)
    assert await timers.sweep(never, rack) == 0
    assert await timers.sweep(replace(RIPEN, delay=lambda _: day + timedelta(milliseconds=1)), rack) == 0
    assert await timers.sweep(replace(RIPEN, delay=lambda _: day), rack) == 1
    assert [await ripened(rack, jar) for jar in jars] == [1, 0]
    assert await timers.sweep(replace(RIPEN, delay=lambda _: day / 2), rack) == 1
    assert [await ripened(rack, jar) for jar in jars] == [1, 1]


async def test_two_sweepers_do_it_once_for_each_due_time(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(1, 13)]
    await asyncio.gather(*(timers.sweep(RIPEN, rack) for _ in range(4)))
    assert [await ripened(rack, jar) for jar in jars] == [1] * 12
    next_day = replace(rack, clock=lambda: DUE + timedelta(days=2))
    await asyncio.gather(*(timers.sweep(RIPEN, next_day) for _ in range(4)))
    assert [await ripened(rack, jar) for jar in jars] == [2] * 12


@pytest.mark.parametrize("label", ["rotten", "idle"])
async def test_entities_that_fail_or_do_not_move_on_do_not_hold_up_the_rest(
    rack: Container, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    monkeypatch.setattr(timers, "_BATCH", 4)
    bad = [await a_jar(rack, minutes, label) for minutes in range(6)]
    good = [await a_jar(rack, 100 + minutes) for minutes in range(6)]
    tried: list[str] = []

    async def note(ctx: Context, id: str) -> Jar:
        tried.append(id)
        return await toy.ripen(ctx, id)

    lease = Lease(rack.mongo, "timer", "shop-0", 30)
    running = asyncio.create_task(at_work(rack, lease, note))
    async with asyncio.timeout(10):
        while [await ripened(rack, jar) for jar in good] != [1] * 6:  # noqa: ASYNC110 - it asks a database
            await asyncio.sleep(0.02)
    assert set(tried) >= {jar.id for jar in bad}
    assert all(tried.count(jar.id) <= 4 for jar in bad)  # each is tried again, but later and later
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_says_nothing_and_leaves_its_time_is_told_and_rests(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(2)]
    seen: list[str] = []

    async def half(ctx: Context, id: str) -> None:
        seen.append(id)
        if id == jars[1].id:
            await toy.ripen(ctx, id)

    timer, setbacks = replace(RIPEN, work=half), timers.Setbacks()
    told = [metrics.timer_runs.labels("ripen", outcome) for outcome in ("unmoved", "ok")]
    before = [counter._value.get() for counter in told]
    assert [await timers.sweep(timer, rack, setbacks) for _ in range(2)] == [2, 0]
    assert seen == [jar.id for jar in jars]
    assert setbacks.resting() == [jars[0].id]
    assert [counter._value.get() - known for counter, known in zip(told, before, strict=True)] == [1, 1]


def test_what_fails_rests_longer_and_longer_but_never_longer_than_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, setbacks = [0.0], timers.Setbacks()
    monkeypatch.setattr("services.chassis.schedule.timers.time.monotonic", lambda: clock[0])

    def rests_for() -> float:
        start = clock[0]
        setbacks.failed("jar")
        while setbacks.resting():
            clock[0] += 0.5
        return clock[0] - start

    assert [rests_for() for _ in range(12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    for _ in range(2000):  # as often as something fails in two weeks
        setbacks.failed("jar")
    setbacks.mended("jar")
    assert rests_for() == 1


def test_no_more_rest_than_a_look_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_MOST_RESTING", 3)
    setbacks = timers.Setbacks()
    for id in ("a", "b", "c", "a", "d", "e"):
        setbacks.failed(id)
    assert setbacks.resting() == ["a", "d", "e"]


async def test_what_failed_is_tried_again_and_done_once_mended(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_PAUSE", 0.05)
    jar = await a_jar(rack, 1, "rotten")
    lease = Lease(rack.mongo, "timer", "shop-0", 30)
    running = asyncio.create_task(at_work(rack, lease))
    await asyncio.sleep(0.2)
    await rack.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.label": "mended"}})
    async with asyncio.timeout(5):
        while not await ripened(rack, jar):  # noqa: ASYNC110 - it asks a database
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await ripened(rack, jar) == 1


async def test_a_timer_waits_for_a_database_that_is_away(rack: Container) -> None:
    jar = await a_jar(rack, 1)
    calls: list[str] = []

    async def shaky(ctx: Context, id: str) -> Any:
        calls.append(id)
        if len(calls) < 3:
            raise Unavailable(retry_after=1)
        return await toy.ripen(ctx, id)

    lease = Lease(rack.mongo, "timer", "shop-0", 30)
    running = asyncio.create_task(at_work(rack, lease, shaky))
    async with asyncio.timeout(5):
        while not await ripened(rack, jar):  # noqa: ASYNC110 - it asks a database
            await asyncio.sleep(0.02)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_timer_without_the_lease_does_nothing(rack: Container) -> None:
    jar = await a_jar(rack, 1)
    assert await Lease(rack.mongo, "timer", "another", 30).acquire()
    lease = Lease(rack.mongo, "timer", "shop-0", 30)
    running = asyncio.create_task(at_work(rack, lease))
    await asyncio.sleep(0.15)
    assert await ripened(rack, jar) == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_sweep_ends_where_the_lease_is_lost(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 2)
    for minutes in range(6):
        await a_jar(rack, minutes)
    lease, done = Lease(rack.mongo, "timer", "shop-0", 0.01), list[str]()

    async def lose(ctx: Context, id: str) -> Jar:
        done.append(id)
        taken = {"holder": "shop-1", "term": "another", "until": now() + timedelta(minutes=1)}
        await rack.mongo.update("leases", {"_id": "timer"}, {"$set": taken})
        return await toy.ripen(ctx, id)

    running = asyncio.create_task(at_work(rack, lease, lose))
    await asyncio.sleep(0.5)
    assert len(done) == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_takes_longer_than_the_lease_is_not_begun_by_another_worker(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_RENEW", 0.05)
    jars = [await a_jar(rack, minutes) for minutes in range(1, 11)]
    finishing, begun = asyncio.Event(), list[str]()

    async def slow(ctx: Context, id: str) -> Jar:
        begun.append(id)
        await asyncio.sleep(0.9)
        return await toy.ripen(ctx, id)

    workers = [at_work(rack, Lease(rack.mongo, "timer", f"shop-{n}", 0.3), slow, finishing) for n in range(2)]
    running = [asyncio.create_task(worker) for worker in workers]
    async with asyncio.timeout(10):
        while [await ripened(rack, jar) for jar in jars] != [1] * 10:  # noqa: ASYNC110 - it asks a database
            await asyncio.sleep(0.05)
    assert sorted(begun) == sorted(jar.id for jar in jars)
    finishing.set()
    await asyncio.gather(*running)


async def test_one_that_meets_a_database_away_does_not_end_those_beside_it(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(8)]

    async def work(ctx: Context, id: str) -> Any:
        if id == jars[0].id:
            raise Unavailable(retry_after=1)
        await asyncio.sleep(0.1)
        return await toy.ripen(ctx, id)

    with pytest.raises(Unavailable):
        await timers.sweep(replace(RIPEN, work=work), rack)
    assert [await ripened(rack, jar) for jar in jars] == [0, *[1] * 7]


async def test_a_timer_told_to_finish_ends_what_it_is_at_and_begins_nothing_else(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 2)
    jars = [await a_jar(rack, minutes) for minutes in range(6)]
    finishing = asyncio.Event()

    async def slow(ctx: Context, id: str) -> Jar:
        finishing.set()
        await asyncio.sleep(0.2)
        return await toy.ripen(ctx, id)

    async with asyncio.timeout(5):
        await at_work(rack, Lease(rack.mongo, "timer", "shop-0", 30), slow, finishing)
    assert [await ripened(rack, jar) for jar in jars] == [1, 1, 0, 0, 0, 0]


async def test_what_a_timer_did_names_it_and_its_due_time_as_cause(rack: Container) -> None:
    jar = await a_jar(rack, 1)
    await timers.sweep(RIPEN, rack)
    last = (await rack.context(toy.KEEPER, "read").store.history(Jar, jar.id))[-1]
    assert (last.by, last.cause) == ("ripen", f"timer:ripen:{jar.id}:2026-01-01T00:01:00+00:00")
    assert last.at <= now()
