"""When the scheduler reads: once, then when a time has come or a collection has changed, and at a slow interval."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.guards import visible
from services.chassis.schedule import scheduler as module
from services.chassis.storage.change_notifier import Subscription
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.calls import queries
from tests.support.rack import DUE, RIPEN, a_jar, all_ripened, ripened, scheduling
from tests.support.road import until

QUICK = replace(RIPEN, every=0.02)


async def test_an_idle_scheduler_looks_at_each_timer_once_and_then_reads_nothing(rack: Container) -> None:
    await a_jar(rack, 60 * 24 + 1)
    found = queries(rack.mongo)
    async with scheduling(rack, *(replace(QUICK, name=f"kind-{number}") for number in range(40))):

        async def looked() -> bool:
            return len(found) >= 40

        await until(looked)
        await asyncio.sleep(1.5)  # in which 40 loops that poll would have read 3,000 times
    assert len(found) == 40


async def test_a_write_that_makes_nothing_due_costs_no_look(rack: Container) -> None:
    looked = queries(rack.mongo)
    async with scheduling(rack, QUICK):

        async def listening() -> bool:
            return bool(looked)

        await until(listening)
        jars = [await a_jar(rack, 60 * 24 * days) for days in range(2, 6)]
        for jar in jars:
            ctx = rack.context(toy.KEEPER, f"a coin for {jar.id}", within=visible)
            await toy.drop_coin(ctx, jar.id, toy.DropCoin(coins=1))
        await asyncio.sleep(0.5)
        assert len(looked) == 1
        await all_ripened(rack, [await a_jar(rack, 1)])


async def test_what_any_process_writes_is_noticed_without_a_poll(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 600.0)
    async with scheduling(rack, QUICK):
        for minutes in range(1, 4):
            await all_ripened(rack, [await a_jar(rack, minutes)])
            await asyncio.sleep(0.1)  # it is idle again


async def test_what_becomes_due_later_is_done_then_without_any_write(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 600.0)
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.05)
    clock = [DUE]
    jar = await a_jar(rack, 60)
    async with scheduling(replace(rack, clock=lambda: clock[0]), QUICK):
        await asyncio.sleep(0.3)
        assert await ripened(rack, jar) == 0
        clock[0] += timedelta(hours=1)
        await all_ripened(rack, [jar])


async def test_a_change_that_is_not_named_is_found_at_a_slow_interval(
    rack: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object) -> None:
        """Name nothing."""

    monkeypatch.setattr(Subscription, "note", deaf)
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.2)
    async with scheduling(rack, QUICK):
        await asyncio.sleep(0.3)
        await all_ripened(rack, [await a_jar(rack, 1)])
