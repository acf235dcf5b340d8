"""The consumer: per partition in order, partitions side by side; delivered first, then confirmed."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.delivery import MOST_FAILURES, Delivery, Moved, TooManyFail
from services.chassis.messaging.kafka import BrokerAway, Incoming, Reader
from services.chassis.messaging.orders import PAUSED, RUNNING, STOPPED, Orders, Wish
from services.chassis.messaging.patience import lasting
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switches import that_are_on
from services.chassis.ops import logs, metrics
from services.chassis.usecase import House

log = logs.get()

_WAIT_MS = 250
_TOGETHER = 200
"""So many events of a partition are delivered at once; the partitions of one round side by side."""


class Consumer:
    """Reads events of other services as a member of a group, and does between two batches what operators ask for."""

    def __init__(
        self,
        house: House,
        reader: Reader,
        reactions: Sequence[AnyReaction],
        orders: Orders,
        most_failures: int = MOST_FAILURES,
    ) -> None:
        """``reactions``: all that the service has; those that are on are asked for whenever that may have changed."""
        self._mongo = house.mongo
        self._reader = reader
        self._reactions = reactions
        self._orders = orders
        self._delivery = Delivery(house, reader, (), most_failures)
        self._order = -1
        self._wish = Wish()
        self._stop: str | None = None
        self._finishing = False

    async def run(self) -> None:
        """Go on until told to finish. Errors of the group end it, and with it the process."""
        while not self._finishing:
            if await lasting(self._may_go_on):
                await self._round()
            else:
                await self._reader.rest(_WAIT_MS)
        with suppress(Unavailable):  # then others wait until we have been silent for long enough
            await self._orders.leave()

    def finish(self) -> None:
        """End after the batch in hand."""
        self._finishing = True

    def ready(self) -> bool:
        """Whether the partitions have been given out and some are ours."""
        return self._delivery.ready() or (self._wish.state == PAUSED and bool(self._reader.assigned()))

    def stopped(self) -> str | None:
        """Why it does not go on before an operator says so; None where it does, or only rests."""
        return self._wish.reason if self._wish.state == STOPPED else None

    async def _may_go_on(self) -> bool:
        """Do what is asked. Here no batch is in hand: that is what ``Orders`` tells by asking."""
        wish = self._wish = await self._orders.ask()
        for state in (PAUSED, STOPPED):
            metrics.consumer_resting.labels(state).set(wish.state == state)
        if wish.order != self._order:
            self._delivery.switch(await that_are_on(self._mongo, self._reactions))
            self._order = wish.order
        if wish.state != RUNNING:
            await self._move(wish)
            return False
        self._reader.wake()
        return True

    async def _move(self, wish: Wish) -> None:
        ours = {place: offset for place, offset in wish.moves.items() if place in self._reader.assigned()}
        if ours and await self._reader.move(ours):
            log.warning("reading on from elsewhere, as an operator asked", partitions=len(ours))
            await self._orders.moved(list(ours))

    async def _round(self) -> None:
        turn = self._reader.turn()
        batches = await self._reader.poll(_WAIT_MS)
        await lasting(self._delivery.settle)
        async with asyncio.TaskGroup() as group:
            taken = [group.create_task(self._taken(records)) for records in batches]
        done = [records for records, task in zip(batches, taken, strict=True) if task.result()]
        if done and not await self._confirmed(done, turn):
            log.warning("partitions went elsewhere before the commit; their events may come again")
            for records in done:  # until the group has told where we stand: nothing may be taken behind a hole
                self._reader.again(records[0])
        if self._stop is not None:
            log.error("the consumer stops until `linli consumer resume`", reason=self._stop)
            await lasting(partial(self._orders.stop, self._stop))
            self._stop = None
        self._measure()

    async def _taken(self, records: Sequence[Incoming]) -> bool:
        """Whether a batch could be taken to its end; one that could not comes again, here or elsewhere."""
        try:
            for start in range(0, len(records), _TOGETHER):
                await lasting(partial(self._delivery.take, records[start : start + _TOGETHER]))
        except Moved:
            return False
        except TooManyFail as error:
            self._stop = str(error)
            self._reader.again(records[0])
            return False
        return True

    async def _confirmed(self, batches: Sequence[Sequence[Incoming]], turn: int) -> bool:
        """Whether these could be confirmed: what was read in another turn somebody else may have taken otherwise."""
        while self._reader.turn() == turn:
            try:
                return await self._reader.commit([records[-1] for records in batches])
            except BrokerAway:
                await asyncio.sleep(1)
        return False

    def _measure(self) -> None:
        for (topic, partition), lag in self._reader.lags().items():
            metrics.consumer_lag.labels(topic, str(partition)).set(lag)
