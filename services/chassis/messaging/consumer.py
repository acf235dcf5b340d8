"""The consumer: per partition in order, partitions together or side by side; delivered first, then confirmed."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging import switches
from services.chassis.messaging.control import COLLECTION as CONSUMERS
from services.chassis.messaging.control import PAUSED, RUNNING, STOPPED, ConsumerControl, DesiredState
from services.chassis.messaging.delivery import MOST_FAILURES, Delivery
from services.chassis.messaging.failures import PartitionsReassigned, TooManyFailures
from services.chassis.messaging.kafka import BrokerAway, Incoming, Reader
from services.chassis.messaging.parking import COLLECTION as PARKED
from services.chassis.messaging.parking import UNREADABLE
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.retry import retry_forever
from services.chassis.messaging.switching import turn_off
from services.chassis.storage.change_notifier import Subscription
from services.chassis.telemetry import logs, metrics
from services.chassis.usecase import Container

log = logs.get()

_WAIT_MS = 250
_SELDOM_SECONDS, _OFTEN_SECONDS = 5.0, 0.5
"""How often the desired state, and what is to be replayed, are read without a cause. The second while the notifier is
silent, while something is replayed, and (with each wait) while the group rests."""
_CONFIRM_SECONDS = 0.5
"""How often what was delivered is confirmed; in every round it would cost as much as the round."""
_BATCH = 200
"""How many events are delivered in one batch."""
_CONCURRENT_BATCHES = 6
"""How many batches run concurrently; more would take memory and gain nothing."""

Bundle = Sequence[Sequence[Incoming]]
"""Records of some partitions that are delivered together."""


class Consumer:
    """Reads the events of other services as a member of a group, and follows the operators' desired state between
    batches."""

    def __init__(
        self,
        container: Container,
        reader: Reader,
        reactions: Sequence[AnyReaction],
        control: ConsumerControl,
        most_failures: int = MOST_FAILURES,
    ) -> None:
        """``reactions``: all of the service. Which of them are on is read again whenever that may have changed."""
        self._mongo = container.mongo
        self._changes = container.changes
        self._reader = reader
        self._reactions = reactions
        self._control = control
        self._delivery = Delivery(container, reader, (), most_failures)
        self._order = -1
        self._looked = self._confirmed = float("-inf")
        self._replaying = False  # whether the last look found something to replay or drop
        self._desired = DesiredState()
        self._concurrent = asyncio.Semaphore(_CONCURRENT_BATCHES)
        # (first, last) record of each partition
        self._unconfirmed: dict[tuple[str, int], tuple[Incoming, Incoming]] = {}
        self._generation = -1
        self._failing: dict[str, str] = {}  # why the reactions that failed too often in this round failed
        self._finishing = False

    async def run(self) -> None:
        """Run until ``finish`` is called. An error of the group ends the consumer, and with it the process."""
        await retry_forever(partial(self._control.note_topics, self._reader.topics))
        async with self._changes.subscribe("order", "replay", collections={CONSUMERS, PARKED}) as subscription:
            while not self._finishing:
                if await retry_forever(partial(self._may_go_on, subscription)):
                    await self._round()
                else:
                    await self._reader.pause(_WAIT_MS)
        await self._confirm()
        with suppress(Unavailable):  # then others wait until this member counts as dead
            await self._control.leave()

    def finish(self) -> None:
        """End after the current batch."""
        self._finishing = True

    def ready(self) -> bool:
        """Whether partitions are assigned to this member."""
        return self._delivery.ready() or (self._desired.state == PAUSED and bool(self._reader.assigned()))

    def stopped(self) -> str | None:
        """Why it is stopped until an operator resumes it; None if it runs, or is only paused."""
        return self._desired.reason if self._desired.state == STOPPED else None

    def off(self) -> dict[str, str]:
        """Why which of its reactions do nothing, by name."""
        known = self._desired.switches
        off = [known[one.name] for one in self._reactions if one.name in known and not known[one.name].on]
        return {switch.name: f"{switch.state}: {switch.reason or 'it is new'}" for switch in off}

    async def _may_go_on(self, subscription: Subscription) -> bool:
        """Do what operators ask. Called between batches: asking confirms that none is in progress."""
        generation = self._reader.generation()
        if not self._must_ask(generation, subscription):
            if time.monotonic() > self._confirmed + _CONFIRM_SECONDS:
                await self._confirm()
            return True
        await self._confirm()
        if generation != self._generation:
            self._unconfirmed.clear()  # they are read again, from the committed offsets
        desired = self._desired = await self._control.ask()
        for state in (PAUSED, STOPPED):
            metrics.consumer_resting.labels(state).set(desired.state == state)
        if desired.order != self._order:
            self._switch(desired)
        if desired.state != RUNNING:
            await self._move(desired)
            return False
        self._reader.resume()
        self._replaying = await self._delivery.settle()
        self._looked = time.monotonic()  # set last: without an answer nothing may be delivered
        self._generation = generation
        return True

    def _must_ask(self, generation: int, subscription: Subscription) -> bool:
        """Whether something else may be asked of us than before.

        Also with other partitions: the member before us may have committed without a reaction that we believe to be on.
        """
        if subscription.take() != {}:
            self._looked = float("-inf")
        every = _OFTEN_SECONDS if self._replaying or subscription.is_silent() else _SELDOM_SECONDS
        rests = self._desired.state != RUNNING
        return rests or generation != self._generation or time.monotonic() > self._looked + every

    def _switch(self, desired: DesiredState) -> None:
        on = switches.among(self._reactions, desired.switches)
        for reaction in self._reactions:
            metrics.reaction_on.labels(reaction.name).set(reaction in on)
        if off := self.off():
            log.warning("reactions are off or waiting", reactions=off)
        self._delivery.switch(on)
        self._order = desired.order

    async def _move(self, desired: DesiredState) -> None:
        ours = {place: offset for place, offset in desired.moves.items() if place in self._reader.assigned()}
        if ours and await self._reader.move(ours):
            log.warning("reading on from elsewhere, as an operator asked", partitions=len(ours))
            await self._control.moved(list(ours))

    async def _round(self) -> None:
        batches = await self._reader.poll(_WAIT_MS)
        await retry_forever(self._delivery.learn)
        if self._reader.generation() != self._generation:  # before anything is taken, the switches are read again
            for batch in batches:
                self._reader.rewind(batch[0])
            self._read_again()
            return
        self._measure(batches)
        bundles = list(_bundles(batches))
        async with asyncio.TaskGroup() as group:
            taking = [group.create_task(self._deliver_bundle(bundle)) for bundle in bundles]
        for bundle, task in zip(bundles, taking, strict=True):
            if task.result():
                self._note(bundle)
        if self._reader.generation() != self._generation:
            log.warning("partitions went elsewhere before the commit; their events may come again")
            self._read_again()
        if self._failing:
            await self._give_up_on(self._failing)
        self._measure()

    def _note(self, bundle: Bundle) -> None:
        for records in bundle:
            place = records[0].topic, records[0].partition
            first, _ = self._unconfirmed.get(place, (records[0], None))
            self._unconfirmed[place] = first, records[-1]

    async def _give_up_on(self, failing: dict[str, str]) -> None:
        """Turn the reactions that fail off, and nothing else. Their batch is given back and not confirmed: it comes
        again without them. Where records cannot even be read no reaction is to blame: then the group stops.
        """
        await self._confirm()
        unreadable, self._failing = failing.pop(UNREADABLE, None), {}
        if failing:
            # Asked once, and before they are off: others may confirm without them from then on.
            confirmed = await retry_forever(self._reader.confirmed)
            log.error(
                "reactions failed too often and are turned off. Fix the reason, then run `linli reactions start NAME`",
                reactions=failing,
            )
            await retry_forever(
                partial(turn_off, self._mongo, self._control.group, failing, self._control.member, confirmed)
            )
        if unreadable is not None:
            log.error("the consumer stops until `linli consumer resume`", reason=unreadable)
            await retry_forever(partial(self._control.stop, unreadable))
        self._looked = float("-inf")

    async def _deliver_bundle(self, bundle: Bundle) -> bool:
        """Whether a bundle was delivered completely; otherwise it comes again, here or elsewhere."""
        records = [record for batch in bundle for record in batch]
        try:
            for start in range(0, len(records), _BATCH):
                async with self._concurrent:
                    await retry_forever(partial(self._delivery.take, records[start : start + _BATCH]))
        except PartitionsReassigned:
            return False
        except TooManyFailures as error:
            self._failing |= error.reasons
            for batch in bundle:
                self._reader.rewind(batch[0])
            return False
        return True

    def _read_again(self) -> None:
        """Until the group says where we are: nothing may be delivered behind a gap."""
        for first, _ in self._unconfirmed.values():
            self._reader.rewind(first)
        self._unconfirmed.clear()

    async def _confirm(self) -> None:
        """Remember, then commit, what was delivered since the last commit. Records of an earlier generation are not
        committed; they are read again.

        Not after every batch: that would cost as much as the batch. What a crash leaves unconfirmed comes again.
        """
        self._confirmed = time.monotonic()
        await retry_forever(self._delivery.remember)
        while self._unconfirmed and self._reader.generation() == self._generation:
            try:
                if not await self._reader.commit([last for _, last in self._unconfirmed.values()]):
                    log.warning("partitions went elsewhere before the commit; their events may come again")
                    self._read_again()
                self._unconfirmed.clear()
            except BrokerAway:
                await asyncio.sleep(1)

    def _measure(self, in_hand: Bundle = ()) -> None:
        """What is in hand is behind too, however long it takes."""
        taken = {(records[0].topic, records[0].partition): len(records) for records in in_hand}
        for place, lag in self._reader.lags().items():
            metrics.consumer_lag.labels(place[0], str(place[1])).set(lag + taken.get(place, 0))


def _bundles(batches: Bundle) -> Iterator[Bundle]:
    """Partitions with few records share queries and writes; those with many are delivered concurrently."""
    bundle: list[Sequence[Incoming]] = []
    for batch in batches:
        if bundle and sum(map(len, bundle)) + len(batch) > _BATCH:
            yield bundle
            bundle = []
        bundle.append(batch)
    if bundle:
        yield bundle
