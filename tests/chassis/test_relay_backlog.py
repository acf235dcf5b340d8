"""What a relay tells of its backlog: in full, also while it cannot send, and only where it is its own."""

import asyncio
from typing import Any

import pytest

from services.chassis.messaging.kafka import BrokerAway, Publisher
from services.chassis.storage.leases import Lease
from services.chassis.telemetry import metrics
from tests.support.road import Road, in_batches_of, until


async def test_while_a_broker_hangs_what_waits_is_counted_all_the_same(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.messaging.relay._SLOW_SECONDS", 0.05)

    class Hanging(Publisher):
        async def send(self, records: Any) -> Any:
            return await (asyncio.Event().wait() if records else super().send(records))

    await road.jar(1)
    hanging = asyncio.create_task(road.relay(road.publisher(kind=Hanging)).round())
    await asyncio.sleep(0.3)
    others = [await road.jar(1) for _ in range(2)]

    async def result() -> bool:
        return bool(metrics.relay_pending._value.get() == 3 and metrics.relay_oldest._value.get() > 0.2)

    await until(result)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await road.publish()
    assert await road.check_topic() == 0
    assert {jar.id for jar in others} <= {dict(r.headers)["ce_subject"].decode() for r in await road.records()}


async def test_the_backlog_is_reported_in_full(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches_of(2, monkeypatch)
    for _ in range(5):
        await road.jar()
    with pytest.raises(BrokerAway):
        await road.relay(road.publisher("127.0.0.1:1")).round()
    assert metrics.relay_pending._value.get() == 5


async def test_a_long_backlog_is_not_counted_at_every_round(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches_of(2, monkeypatch)
    for _ in range(5):
        await road.jar()
    aggregate, counted = road.shop.mongo.aggregate, []

    async def counting(name: str, pipeline: list[Any], limit: int) -> list[Any]:
        counted.extend(["pending"] if "$count" in pipeline[-1] and "pending" in pipeline[0]["$match"] else [])
        return await aggregate(name, pipeline, limit)

    monkeypatch.setattr(road.shop.mongo, "aggregate", counting)
    relay = road.relay()
    for _ in range(2):  # full rounds both
        await relay.send(documents := await relay.read())
        await relay._measure(documents, full=True)
        assert metrics.relay_pending._value.get() == 5
    assert len(counted) == 1
    monkeypatch.setattr("services.chassis.messaging.relay._MEASURE_SECONDS", 0.0)
    await relay._measure(await relay.read(), full=True)
    assert len(counted) == 2


async def test_what_a_round_has_published_is_no_backlog_any_more_though_no_other_round_follows(road: Road) -> None:
    for _ in range(3):
        await road.jar(1)
    assert await road.relay().round() == 3
    assert (metrics.relay_pending._value.get(), metrics.relay_oldest._value.get()) == (0, 0)


async def test_a_worker_without_the_lease_reports_no_backlog(road: Road) -> None:
    gauges = (metrics.relay_pending, metrics.relay_oldest, metrics.relay_stuck)
    for gauge in gauges:
        gauge.set(7)
    assert await Lease(road.shop.mongo, "relay", "shop-1", 30).acquire()
    waiting = asyncio.create_task(road.relay().run(Lease(road.shop.mongo, "relay", "shop-0", 30), road.shop.changes))

    async def silent() -> bool:
        return [gauge._value.get() for gauge in gauges] == [0, 0, 0]

    await until(silent, 5)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
