"""Delivery: gives a batch of records to the reactions that want them; effects are written first, then remembered."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from services.chassis.domain.concurrency import gather_two
from services.chassis.messaging import effects
from services.chassis.messaging.delivered import Delivered, Unreadable
from services.chassis.messaging.effects import Done
from services.chassis.messaging.failures import (
    HANDLING,
    WRITING,
    Failures,
    PartitionsReassigned,
    prepared,
    raise_worst,
)
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.memory import Known, Memory, reached
from services.chassis.messaging.parking import UNREADABLE, Parking, record_of
from services.chassis.messaging.reactions import AnyReaction, Copying, Effect, Handled, handler
from services.chassis.messaging.retry import is_transient, retry_forever
from services.chassis.storage import copy_reads
from services.chassis.storage.mongo import Document
from services.chassis.storage.vault import KeyNotHere
from services.chassis.telemetry import logs, metrics, tracing
from services.chassis.usecase import Container

log = logs.get()

MOST_FAILURES = 20
_TRIES = 3
_KEY_TRIES, _KEY_SECONDS = 30, 1.0  # how late a person's key may be, in seconds; after that the event is parked
_PAUSE = 0.05  # seconds before the second try, doubled before each further one
_BEHIND = "waits behind an earlier event"
_AT_ONCE = 8
"""How many reactions run at the same time: each waits for the database most of the time."""


class _Behind(Exception):
    """An earlier event of the same entity is parked."""


class Holder(Protocol):
    """The owner of partitions: of all, or of those that a group has assigned."""

    def assigned(self) -> frozenset[tuple[str, int]]:
        """The partitions of this owner."""

    def generation(self) -> int:
        """How often they were assigned."""


class Delivery:
    """Brings each event to each reaction that wants it, with one effect, or parks it."""

    def __init__(
        self, container: Container, holder: Holder, reactions: Sequence[AnyReaction], most_failures: int = MOST_FAILURES
    ) -> None:
        """``reactions``: those that are on; after ``most_failures`` in a row one more is not parked any more."""
        self._container = container
        self._holder = holder
        self._failures = Failures(most_failures)
        self._memory = Memory(container.mongo)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._ours: frozenset[tuple[str, int]] = frozenset()
        self.switch(reactions)

    def switch(self, reactions: Sequence[AnyReaction]) -> None:
        """Use these reactions from now on; parked events are loaded again."""
        self._reactions = reactions
        names = [reaction.name for reaction in reactions]
        self._parking = Parking(self._container.mongo, names)
        self._failures.keep_only(names)
        self._generation = -1

    def ready(self) -> bool:
        """Whether partitions are assigned to this member."""
        return bool(self._ours)

    async def settle(self) -> bool:
        """Load what is parked of our partitions; then replay and drop what operators asked for: whether there was any.

        A backfill, or the member that had our partitions before, may have parked some that we do not know of.
        """
        await self.remember()
        await self.learn()
        found = await self._parking.flagged(self._ours)
        for document in found:
            await (self._drop(document) if "drop" in document else self._replay(document))
        return bool(found)

    async def learn(self) -> None:
        """Load what is parked of our partitions."""
        ours, generation = self._holder.assigned(), self._holder.generation()
        # Also if the partitions are the same: another member may have had them meanwhile and parked something.
        if (ours, generation) != (self._ours, self._generation):
            metrics.consumer_lag.clear()  # another worker's partitions must not be counted twice
            await self._parking.load(ours)
            self._ours, self._generation = ours, generation

    async def take(self, records: Sequence[Incoming]) -> None:
        """Some records, those of a partition in order: first the copies take them, then the other reactions.

        Reactions run side by side, and one that fails is no reason for another not to end. PartitionsReassigned, or
        TooManyFailures, where the records are not to be confirmed. Otherwise ``remember`` comes before that.
        """
        self._expect_ours(*records)
        events = []
        for record in records:
            try:
                events.append(Delivered.of(record))
                self._failures.went_well(UNREADABLE, HANDLING, "")
            except Unreadable as error:
                await self._refuse(record, str(error))
        wanted = [(one, some) for one in self._reactions if (some := self._wanted(one, events))]
        copies = [(one, some) for one, some in wanted if isinstance(one, Copying)]
        others = [(one, some) for one, some in wanted if not isinstance(one, Copying)]
        with copy_reads.shared():
            # The copies ask at the same moment, in the same round trip.
            known, _ = await gather_two(self._memory.load(others), self._deliver(copies, Known({})))
            await self._deliver(others, known)
        if self._memory.is_full():
            await self.remember()

    async def _deliver(self, wanted: Sequence[tuple[AnyReaction, Sequence[Delivered]]], known: Known) -> None:
        """To each of these reactions its events, without those that are known."""

        async def one(reaction: AnyReaction, events: Sequence[Delivered]) -> None:
            async with self._at_once:
                await self._react(reaction, known.unseen(reaction, events))

        raise_worst(await asyncio.gather(*(one(*pair) for pair in wanted), return_exceptions=True))

    async def remember(self) -> None:
        """Save and report what had its effect. Raises Unavailable.

        A refusal of the database ends the process: no single event is to blame, and none may be confirmed.
        """
        for reaction, done, at in await self._memory.save():
            effects.report(reaction, done, at)

    def _wanted(self, reaction: AnyReaction, events: Sequence[Delivered]) -> Sequence[Delivered]:
        wanted = [event for event in events if reaction.wants(event)]
        return [event for event in wanted if not self._parking.gave_up(reaction.name, event)]

    async def _refuse(self, record: Incoming, reason: str) -> None:
        self._expect_ours(record)
        if not self._parking.gave_up_unreadable(record):
            self._failures.count(UNREADABLE, HANDLING, "", reason)
            await self._parking.park_unreadable(record, reason)

    async def _react(self, reaction: AnyReaction, events: Sequence[Delivered]) -> None:
        if not events:
            return
        handled = await prepared(reaction, self._container, events)
        if handled is None:
            for event in events:
                await self._react(reaction, [event])
            return
        done: list[tuple[Delivered, Sequence[Effect]]] = []
        for event in events:
            try:
                outcome = await self._attempt(reaction, handled, event)
            except Exception:  # the batch comes again; what was handled of it by use cases is remembered
                await self._write(reaction, done)
                raise
            if not isinstance(outcome, BaseException):
                done.append((event, outcome))
                continue
            # First write what lies before it. If it were parked, it might be replayed before this batch comes again,
            # out of order.
            await self._write(reaction, done)
            done = []
            await self._set_aside(reaction, event, outcome)
        await self._write(reaction, done)

    async def _attempt(
        self, reaction: AnyReaction, handled: Handled, event: Delivered
    ) -> Sequence[Effect] | BaseException:
        """The effects of one event, or the reason to park it."""
        if self._parking.blocks(reaction.name, event):
            return _Behind()
        for attempt in range(_KEY_TRIES):
            began = time.monotonic()
            try:
                wanted = await effects.of(reaction, handled, event)
                self._failures.went_well(reaction.name, HANDLING, event.type)
                return wanted
            except KeyNotHere as error:
                reason: BaseException = error
                await asyncio.sleep(began + _KEY_SECONDS - time.monotonic())  # if the refusal came at once
                if self._failures.hopeless(reaction.name, event.type):
                    break  # the other reactions wait for this one
            except Exception as error:
                if is_transient(error):
                    raise
                reason = error
                if attempt + 1 >= _TRIES:
                    break
                if not self._failures.hopeless(reaction.name, event.type):
                    await asyncio.sleep(_PAUSE * 2**attempt)
        return reason

    async def _set_aside(self, reaction: AnyReaction, event: Delivered, reason: BaseException) -> None:
        if isinstance(reason, _Behind) or self._parking.blocks(reaction.name, event):
            await self._park(reaction, event, _BEHIND)
        else:
            await self._give_up(reaction, event, reason, HANDLING)

    async def _write(self, reaction: AnyReaction, done: Done) -> None:
        """Write the effects of a batch together; one by one if that fails, to find the one that cannot be written."""
        try:
            await self._write_together(reaction, done)
        except Exception as error:
            if is_transient(error) or not done:
                raise
            if len(done) == 1:
                await self._give_up(reaction, done[0][0], error, WRITING)
                return
            for one in done:
                if self._parking.blocks(reaction.name, one[0]):
                    await self._park(reaction, one[0], _BEHIND)
                else:
                    await self._write(reaction, [one])

    async def _write_together(self, reaction: AnyReaction, done: Done) -> None:
        await effects.write(self._container, reaction, done)
        self._memory.note(reaction, done, self._container.clock())
        for event, _ in done:
            self._failures.went_well(reaction.name, WRITING, event.type)

    async def _give_up(self, reaction: AnyReaction, event: Delivered, error: BaseException, what: str) -> None:
        with tracing.bound(event.trace):
            log.error("a reaction failed", reaction=reaction.name, event_id=event.id, exc_info=error)
            self._failures.count(reaction.name, what, event.type, logs.safe_text(error))
            await self._park(reaction, event, logs.safe_text(error))

    async def _park(self, reaction: AnyReaction, event: Delivered, reason: str) -> None:
        """First remember what lies before it, or it might come again behind a replay of this one.

        Repeat until it is certain: if only the answer was lost, another try must not have the effect as well.
        """

        async def parked() -> None:
            await self.remember()
            self._expect_ours(event.record)
            await self._parking.park(reaction.name, event, reason)

        await retry_forever(parked)

    def _expect_ours(self, *records: Incoming) -> None:
        """PartitionsReassigned where a partition may have changed its owner: then we may not know all of its parked
        events, and the new owner would not learn of one that we park."""
        settled = (self._holder.assigned(), self._holder.generation()) == (self._ours, self._generation)
        if not settled or not {(record.topic, record.partition) for record in records} <= self._ours:
            raise PartitionsReassigned

    async def _replay(self, document: Document) -> None:
        """Replay one parked event; ``flagged`` returns them in the order of each entity."""
        reaction = self._named(document["reaction"])
        if reaction is None:
            await self._parking.keep_waiting(document, "no reaction of this name is on")
            return
        if not await self._parking.is_next(document):
            return
        try:
            event = Delivered.of(record_of(document))
            handled = await handler(reaction, self._container, [event])
            wanted = await effects.of(reaction, handled, event)
            await self._write_together(reaction, [(event, wanted)])
            await self.remember()
        except Exception as error:
            if is_transient(error):
                raise
            await self._parking.fail_again(document, logs.safe_text(error))
            return
        await self._parking.unpark(document)

    async def _drop(self, document: Document) -> None:
        """Drop one parked event for good. If it had its effect already, it is only removed."""
        reaction = self._named(document["reaction"])
        had = await reached(self._container.mongo, reaction, document["entity"]) if reaction else 0
        if reaction and Delivered.of(record_of(document)).version <= had:
            await self._parking.unpark(document)
        else:
            await self._parking.drop(document)

    def _named(self, name: str) -> AnyReaction | None:
        return next((reaction for reaction in self._reactions if reaction.name == name), None)
