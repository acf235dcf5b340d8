"""The lag that a consumer reports."""

import asyncio

from services.chassis.domain.events import Event
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import PARTITIONS
from services.chassis.messaging.reactions import reaction
from services.chassis.telemetry import metrics
from services.chassis.usecase import Context
from tests.support.road import Road, running, until
from tests.support.toy import CoinDropped


async def test_what_is_in_hand_counts_as_lag_however_long_it_takes(road: Road) -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    @reaction("slow", CoinDropped)
    async def slow(ctx: Context, delivered: Delivered, event: Event) -> None:
        began.set()
        await may_end.wait()

    await road.jar(1)
    await road.publish()
    consumer = await road.consumer(reactions=[slow])
    async with running(consumer):
        await asyncio.wait_for(began.wait(), 20)
        assert lag(road) > 0
        may_end.set()

        async def at_the_end() -> bool:
            return lag(road) == 0

        await until(at_the_end)


def lag(road: Road) -> float:
    """How many records of the road's topic the consumer is behind, as it reports it."""
    return sum(float(metrics.consumer_lag.labels(road.topic, str(n))._value.get()) for n in range(PARTITIONS))
