"""Timers: one sweep runs what is due, oldest first and once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import now
from services.chassis.schedule import timers
from services.chassis.storage import archive
from services.chassis.storage.mongo import Document
from services.chassis.telemetry import metrics
from services.chassis.usecase import Container, Context
from tests.support import toy
from tests.support.calls import CALLS
from tests.support.rack import DUE, RIPEN, a_jar, ripened
from tests.support.toy import Jar


async def test_the_oldest_are_done_first(rack: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_AT_ONCE", 1)
    monkeypatch.setattr(timers, "BATCH", 3)
    jars = {minutes: await a_jar(rack, minutes) for minutes in (5, 1, 4, 2, 3)}
    done: list[str] = []

    async def note(ctx: Context, id: str) -> Jar:
        done.append(id)
        return await toy.ripen(ctx, id)

    timer = replace(RIPEN, work=note)
    assert [(await timers.sweep(timer, rack)).count for _ in range(3)] == [3, 2, 0]
    assert done == [jars[minutes].id for minutes in (1, 2, 3, 4, 5)]


async def test_what_is_not_due_or_has_no_time_is_left(rack: Container) -> None:
    later = await a_jar(rack, 60 * 24 + 1)
    await toy.open_jar(rack.context(toy.KEEPER, "timeless"), toy.OpenJar(label="a"))
    assert (await timers.sweep(RIPEN, rack)).count == 0
    assert await ripened(rack, later) == 0


async def test_a_delay_holds_for_all_entities_as_it_is_now_and_without_one_none_is_due(rack: Container) -> None:
    """The rack's clock is a day after DUE."""
    jars = [await a_jar(rack, minutes) for minutes in (0, 60)]
    day, never = timedelta(days=1), replace(RIPEN, delay=lambda _: None)
    assert (await timers.sweep(never, rack)).count == 0
    due = [
        await timers.next_due(timer, rack, timers.Setbacks()) for timer in (never, replace(RIPEN, delay=lambda _: day))
    ]
    assert due == [None, DUE + day]
    assert (await timers.sweep(replace(RIPEN, delay=lambda _: day + timedelta(milliseconds=1)), rack)).count == 0
    assert (await timers.sweep(replace(RIPEN, delay=lambda _: day), rack)).count == 1
    assert [await ripened(rack, jar) for jar in jars] == [1, 0]
    assert (await timers.sweep(replace(RIPEN, delay=lambda _: day / 2), rack)).count == 1
    assert [await ripened(rack, jar) for jar in jars] == [1, 1]


async def test_two_sweepers_do_it_once_for_each_due_time(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(1, 13)]
    await asyncio.gather(*(timers.sweep(RIPEN, rack) for _ in range(4)))
    assert [await ripened(rack, jar) for jar in jars] == [1] * 12
    next_day = replace(rack, clock=lambda: DUE + timedelta(days=2))
    await asyncio.gather(*(timers.sweep(RIPEN, next_day) for _ in range(4)))
    assert [await ripened(rack, jar) for jar in jars] == [2] * 12


async def test_what_says_nothing_and_leaves_its_time_is_reported_and_paused(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(2)]
    seen: list[str] = []

    async def half(ctx: Context, id: str) -> None:
        seen.append(id)
        if id == jars[1].id:
            await toy.ripen(ctx, id)

    timer, setbacks = replace(RIPEN, work=half), timers.Setbacks()
    result = [metrics.timer_runs.labels("ripen", outcome) for outcome in ("unmoved", "ok")]
    before = [counter._value.get() for counter in result]
    assert [(await timers.sweep(timer, rack, setbacks)).count for _ in range(2)] == [2, 0]
    assert seen == [jar.id for jar in jars]
    assert setbacks.paused() == [jars[0].id]
    assert [counter._value.get() - known for counter, known in zip(result, before, strict=True)] == [1, 1]


def test_what_fails_is_paused_longer_and_longer_but_at_most_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, setbacks = [0.0], timers.Setbacks()
    monkeypatch.setattr("services.chassis.schedule.timers.time.monotonic", lambda: clock[0])

    def paused_for() -> float:
        start = clock[0]
        setbacks.failed("jar")
        while setbacks.paused():
            clock[0] += 0.5
        return clock[0] - start

    assert [paused_for() for _ in range(12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
    for _ in range(2000):  # as often as something fails in two weeks
        setbacks.failed("jar")
    setbacks.mended("jar")
    assert paused_for() == 1


def test_no_more_are_paused_than_a_query_can_exclude(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timers, "_MOST_PAUSED", 3)
    setbacks = timers.Setbacks()
    for id in ("a", "b", "c", "a", "d", "e"):
        setbacks.failed(id)
    assert setbacks.paused() == ["a", "d", "e"]


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


async def test_what_a_timer_did_names_it_and_its_due_time_as_cause(rack: Container) -> None:
    jar = await a_jar(rack, 1)
    await timers.sweep(RIPEN, rack)
    last = (await rack.context(toy.KEEPER, "read").store.history(Jar, jar.id))[-1]
    assert (last.by, last.cause) == ("ripen", f"timer:ripen:{jar.id}:2026-01-01T00:01:00+00:00")
    assert last.at <= now()


async def test_however_many_timers_hang_another_may_run_one_use_case() -> None:
    slots = timers.Slots(10)
    with slots.take(8) as first, slots.take(8) as second, slots.take(8) as third:
        assert (first, second, third) == (8, 4, 1)
    with slots.take(100) as all_again:
        assert all_again == 11


async def test_both_queries_of_a_timer_read_its_index_and_nothing_else(rack: Container) -> None:
    for minutes in range(30):
        await a_jar(rack, minutes if minutes < 3 else 60 * 24 + minutes)
    for minutes in range(30):
        await toy.open_jar(rack.context(toy.KEEPER, f"timeless {minutes}"), toy.OpenJar(label="a"))
    examined, find, aggregate = list[tuple[int, int]](), rack.mongo.find, rack.mongo.aggregate

    async def finding(name: str, where: Document, **more: Any) -> list[Document]:
        query = {"find": name, "filter": where, "projection": more["show"], "sort": dict(more.get("sort", ()))}
        plan = await rack.mongo.command("explain", query | {"limit": more["limit"]}, verbosity="executionStats")
        note(plan["executionStats"])
        return await find(name, where, **more)

    async def aggregating(name: str, stages: list[Document], limit: int) -> list[Document]:
        query = {"aggregate": name, "pipeline": stages, "cursor": {}}
        plan = await rack.mongo.command("explain", query, verbosity="executionStats")
        note(plan["stages"][0]["$cursor"]["executionStats"])
        return await aggregate(name, stages, limit)

    def note(stats: Document) -> None:
        examined.append((stats["totalKeysExamined"], stats["totalDocsExamined"]))

    rack.mongo.find, rack.mongo.aggregate = finding, aggregating  # type: ignore[assignment, method-assign]
    assert await timers.next_due(RIPEN, rack, timers.Setbacks()) == DUE
    assert (await timers.sweep(replace(RIPEN, work=idle), rack)).count == 3
    assert examined == [(1, 1), (3, 3), (4, 4)]


async def test_what_is_due_is_read_once_and_written_together(rack: Container) -> None:
    jars = [await a_jar(rack, minutes) for minutes in range(6)]
    with CALLS.counted() as calls:
        assert (await timers.sweep(RIPEN, rack)).count == 6
    assert calls == {"aggregate": 1, "update": 1, "find": 1}  # the find is for what is next
    assert [await ripened(rack, jar) for jar in jars] == [1] * 6


async def test_what_changed_since_the_look_is_read_again(rack: Container) -> None:
    jar = await a_jar(rack, 1)

    async def late(ctx: Context, id: str) -> Jar:
        await toy.drop_coin(rack.context(toy.KEEPER, "a coin"), id, toy.DropCoin(coins=2))
        return await toy.ripen(ctx, id)

    await timers.sweep(replace(RIPEN, work=late), rack)
    found = await rack.context(toy.KEEPER, "read").store.get(Jar, jar.id)
    assert (found.total, found.ripened, found.version) == (2, 1, 3)


@pytest.mark.parametrize("events_since", [0, 12], ids=["in its document", "in its archive"])
async def test_what_was_done_and_left_its_time_is_not_done_again(rack: Container, events_since: int) -> None:
    jar = await a_jar(rack, 1)

    async def drop(ctx: Context, id: str) -> Jar:
        return await toy.drop_coin(ctx, id, toy.DropCoin(coins=5))

    timer = replace(RIPEN, work=drop)
    await timers.sweep(timer, rack)
    for n in range(events_since):
        await toy.drop_coin(rack.context(toy.KEEPER, f"coin {n}"), jar.id, toy.DropCoin(coins=1))
    if events_since:
        await rack.mongo.update("jars", {"_id": jar.id}, {"$set": {"published": 2 + events_since}})
        assert await archive.trim(rack.mongo, "jars", jar.id, 4)
    await timers.sweep(timer, rack)
    assert (await rack.context(toy.KEEPER, "read").store.get(Jar, jar.id)).total == 5 + events_since


async def idle(ctx: Context, id: str) -> None:
    """Do nothing."""
