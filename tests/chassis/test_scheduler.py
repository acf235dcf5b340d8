"""The scheduler: all timers under one lease; one that is slow, fails or hangs does not delay another."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.schedule import scheduler as module
from services.chassis.schedule import timers
from services.chassis.schedule.scheduler import Periodic, Scheduler
from services.chassis.schedule.timers import Timer
from services.chassis.telemetry import metrics
from services.chassis.usecase import Container, Context
from tests.support import toy
from tests.support.rack import RIPEN, a_jar, all_ripened, lease_of, ripened, scheduling
from tests.support.road import until
from tests.support.toy import Jar

QUICK = replace(RIPEN, every=0.02)


def quick(work: Any) -> Timer:
    """A timer with other work."""
    return replace(QUICK, work=work)


async def hang(ctx: Context, id: str) -> None:
    """Never end."""
    await asyncio.Event().wait()


async def test_timers_that_hang_do_not_delay_another(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(1, 21)]
    hanging = [Timer(f"hang-{number}", Jar, "ripe_at", hang) for number in range(6)]  # more than there are slots
    async with scheduling(rack, *hanging, QUICK):
        await all_ripened(rack, jars)


async def test_a_backlog_of_one_timer_does_not_delay_another(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 1)
    monkeypatch.setattr(timers, "BATCH", 2)
    begun: list[str] = []
    for minutes in range(60):
        await a_jar(rack, minutes, "idle")
    jars = [await a_jar(rack, 60 + minutes) for minutes in range(4)]

    async def note(ctx: Context, id: str) -> None:
        begun.append(id)

    async def only_good(ctx: Context, id: str) -> None:
        if id in {jar.id for jar in jars}:
            begun.append("quick")
            await toy.ripen(ctx, id)

    for jar in jars:  # of another field, on which the backlog has no effect
        await rack.mongo.update("jars", {"_id": jar.id}, {"$rename": {"state.ripe_at": "state.done_at"}})
    async with scheduling(rack, quick(note), Timer("other", Jar, "done_at", only_good)):

        async def enough() -> bool:
            return begun.count("quick") >= 4 and len(begun) >= 60

        await until(enough)
    assert [at for at, name in enumerate(begun) if name == "quick"][3] < 30


async def test_a_timer_whose_query_fails_does_not_stop_another(rack: Container) -> None:
    def fails(_: Container) -> timedelta:
        raise ZeroDivisionError

    async with scheduling(rack, Timer("broken", Jar, "ripe_at", toy.ripen, delay=fails), QUICK):
        await all_ripened(rack, [await a_jar(rack, 1)])


def test_a_timer_on_a_field_that_its_kind_does_not_have_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="ripens_at"):
        Timer("wrong", Jar, "ripens_at", toy.ripen)


async def test_a_scheduler_whose_lease_ran_out_while_the_database_is_away_shows_nothing_more(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.05)
    done, update = list[str](), rack.mongo.update

    async def note(_: Container) -> None:
        done.append("shown")

    async def away(name: str, *args: Any, **kwargs: Any) -> int:
        if name == "leases" and done:
            raise Unavailable(retry_after=1)
        return await update(name, *args, **kwargs)

    monkeypatch.setattr(rack.mongo, "update", away)
    scheduler = Scheduler(
        (), (Periodic("show", note, 60, lambda: done.append("lost")),), rack, lease_of(rack, "x", 0.6)
    )
    running = asyncio.create_task(scheduler.run())

    async def lost() -> bool:
        return done == ["shown", "lost"]

    await until(lost)
    scheduler.finish()
    await running


async def test_for_how_long_something_has_been_due_is_shown(rack: Container) -> None:
    late = metrics.timer_late.labels("hang")
    await a_jar(rack, 60)

    async def is_23_hours() -> bool:
        return bool(late._value.get() == 23 * 3600)

    async with scheduling(rack, Timer("hang", Jar, "ripe_at", hang)) as scheduler:
        await until(is_23_hours)
        scheduler.finish()

        async def is_silent() -> bool:
            return bool(late._value.get() == 0)

        await until(is_silent)


async def test_periodic_work_is_repeated_beside_timers_and_cancelled_at_the_stop(rack: Container) -> None:
    jars, done = [await a_jar(rack, minutes) for minutes in range(1, 4)], list[str]()

    async def twice(_: Container) -> None:
        done.append("begun")
        if len(done) == 2:
            await asyncio.Event().wait()

    periodic = Periodic("count", twice, 0.01, lambda: done.append("lost"))
    scheduler = Scheduler((QUICK,), (periodic,), rack, lease_of(rack))
    running = asyncio.create_task(scheduler.run())
    await all_ripened(rack, jars)

    async def hangs() -> bool:
        return done == ["begun"] * 2

    await until(hangs)
    scheduler.finish()
    async with asyncio.timeout(5):
        await running
    assert done == ["begun", "begun", "lost"]


async def test_periodic_work_that_fails_is_done_again(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FAILED_SECONDS", 0.01)
    done: list[int] = []

    async def shaky(_: Container) -> None:
        done.append(len(done))
        if len(done) < 3:
            raise ZeroDivisionError

    scheduler = Scheduler((), (Periodic("shaky", shaky, 60),), rack, lease_of(rack))
    running = asyncio.create_task(scheduler.run())

    async def thrice() -> bool:
        return len(done) == 3

    await until(thrice)
    scheduler.finish()
    await running


@pytest.mark.parametrize("label", ["rotten", "idle"])
async def test_entities_that_fail_or_do_not_move_on_do_not_hold_up_the_rest(
    rack: Container, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    monkeypatch.setattr(timers, "BATCH", 4)
    bad = [await a_jar(rack, minutes, label) for minutes in range(6)]
    good = [await a_jar(rack, 100 + minutes) for minutes in range(6)]
    tried: list[str] = []

    async def note(ctx: Context, id: str) -> Jar:
        tried.append(id)
        return await toy.ripen(ctx, id)

    async with scheduling(rack, quick(note)):
        await all_ripened(rack, good)
    assert set(tried) >= {jar.id for jar in bad}
    assert all(tried.count(jar.id) <= 4 for jar in bad)  # each is tried again, but later and later


async def test_what_failed_is_tried_again_and_done_once_repaired(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_PAUSE", 0.05)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 600.0)
    jar = await a_jar(rack, 1, "rotten")
    async with scheduling(rack, QUICK):
        await asyncio.sleep(0.2)
        await rack.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.label": "mended"}})
        await all_ripened(rack, [jar])


async def test_a_timer_waits_for_a_database_that_is_away(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AWAY_SECONDS", 0.05)
    jar = await a_jar(rack, 1)
    calls: list[str] = []

    async def shaky(ctx: Context, id: str) -> Any:
        calls.append(id)
        if len(calls) < 3:
            raise Unavailable(retry_after=1)
        return await toy.ripen(ctx, id)

    async with scheduling(rack, quick(shaky)):
        await all_ripened(rack, [jar])


async def test_a_scheduler_without_the_lease_does_nothing(rack: Container) -> None:
    jar = await a_jar(rack, 1)
    assert await lease_of(rack, "another").acquire()
    async with scheduling(rack, QUICK):
        await asyncio.sleep(0.3)
        assert await ripened(rack, jar) == 0


async def test_a_sweep_ends_where_the_lease_is_lost(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 2)
    for minutes in range(6):
        await a_jar(rack, minutes)
    done = list[str]()

    async def lose(ctx: Context, id: str) -> Jar:
        done.append(id)
        taken = {"holder": "shop-1", "term": "another", "until": now() + timedelta(minutes=1)}
        await rack.mongo.update("leases", {"_id": "timers"}, {"$set": taken})
        return await toy.ripen(ctx, id)

    async with scheduling(rack, quick(lose), lease=lease_of(rack, seconds=0.01)):
        await asyncio.sleep(0.5)
    assert len(done) == 2


async def test_what_takes_longer_than_the_lease_is_not_begun_by_another_worker(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.05)
    jars, begun = [await a_jar(rack, minutes) for minutes in range(1, 11)], list[str]()

    async def slow(ctx: Context, id: str) -> Jar:
        begun.append(id)
        await asyncio.sleep(0.9)
        return await toy.ripen(ctx, id)

    first, second = (lease_of(rack, f"shop-{number}", 0.3) for number in range(2))
    async with scheduling(rack, quick(slow), lease=first), scheduling(rack, quick(slow), lease=second):
        await all_ripened(rack, jars)
    assert sorted(begun) == sorted(jar.id for jar in jars)


async def test_a_scheduler_that_finishes_ends_what_it_has_in_hand_and_begins_nothing_else(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 2)
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.05)
    jars = [await a_jar(rack, minutes) for minutes in range(6)]
    known: list[Scheduler] = []

    async def slow(ctx: Context, id: str) -> Jar:
        known[0].finish()
        await asyncio.sleep(1.2)
        assert not await lease_of(rack, "shop-1").acquire(), "the lease is held until the end"
        return await toy.ripen(ctx, id)

    known.append(Scheduler((quick(slow),), (), rack, lease_of(rack, seconds=0.6)))
    async with asyncio.timeout(10):
        await known[0].run()
    assert [await ripened(rack, jar) for jar in jars] == [1, 1, 0, 0, 0, 0]
