"""The consumer: per partition in order, partitions side by side; effects, then memory, then the commit."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby

from services.chassis.domain.events import Origin
from services.chassis.messaging.kafka import BrokerAway, Incoming, Reader
from services.chassis.messaging.parking import Parking, record_of
from services.chassis.messaging.patience import lasting, passing
from services.chassis.messaging.reactions import AnyReaction, Delivered, Effect, Handled, Unreadable, Write
from services.chassis.ops import logs, metrics, tracing
from services.chassis.storage.mongo import Document, Put
from services.chassis.storage.vault import KeyNotHere
from services.chassis.usecase import House

log = logs.get()

_TRIES = 3
_KEY_TRIES = 30  # each waits a second: a person's key may be that late, and the event is parked after that
_PAUSE = 0.05  # seconds before the second try, doubled before each further one
_WAIT_MS = 250
_BEHIND = "waits behind an earlier event"


class _Moved(Exception):
    """The partitions have been given out anew: whoever has this one now reads on from what was confirmed."""


class Consumer:
    """Brings each event of other services to each reaction that wants it, with its effect once."""

    def __init__(self, house: House, reader: Reader, reactions: Sequence[AnyReaction]) -> None:
        """``reactions``: those that are on."""
        self._house = house
        self._reader = reader
        self._reactions = reactions
        self._parking = Parking(house.mongo, [reaction.name for reaction in reactions])
        self._ours: frozenset[tuple[str, int]] = frozenset()
        self._turn = 0
        self._finishing = False

    async def run(self) -> None:
        """Go on until told to finish. Errors of the group end it, and with it the process."""
        while not self._finishing:
            batches = await self._reader.poll(_WAIT_MS)
            await lasting(self._prepare)
            async with asyncio.TaskGroup() as group:
                taken = [group.create_task(self._taken(records)) for records in batches]
            await self._confirm([records[-1] for records, task in zip(batches, taken, strict=True) if task.result()])
            self._measure()

    def finish(self) -> None:
        """End after the batch in hand."""
        self._finishing = True

    def ready(self) -> bool:
        """Whether the partitions have been given out and some are ours."""
        return bool(self._ours)

    async def _prepare(self) -> None:
        ours, turn = self._reader.assigned(), self._reader.turn()
        # Also when they are the same: another member may have had them meanwhile, and parked something.
        if (ours, turn) != (self._ours, self._turn):
            metrics.consumer_lag.clear()  # what is another worker's now must not be counted twice
            await self._parking.load(ours)
            self._ours, self._turn = ours, turn
        for document in await self._parking.flagged(ours):
            await self._replay(document)

    async def _taken(self, records: Sequence[Incoming]) -> bool:
        """Whether a batch could be taken to its end; one that moved comes again, here or elsewhere."""
        try:
            await lasting(partial(self._take, records))
        except _Moved:
            return False
        return True

    async def _take(self, records: Sequence[Incoming]) -> None:
        """One batch of one partition, reaction by reaction."""
        self._expect_ours(records[0])
        events = []
        for record in records:
            try:
                events.append(Delivered.of(record))
            except Unreadable as error:
                self._expect_ours(record)
                await self._parking.park_unreadable(record, str(error))
        for reaction in self._reactions:
            wanted = [event for event in events if event.type in reaction.types]
            if wanted:
                await self._react(reaction, wanted)

    async def _react(self, reaction: AnyReaction, wanted: Sequence[Delivered]) -> None:
        events = await self._unseen(reaction, wanted)
        handled = await reaction.batch(self._house, events)
        done: list[tuple[Delivered, Sequence[Effect]]] = []
        for event in events:
            if self._parking.holds(reaction.name, event):
                await self._park(reaction, event, _BEHIND)
                continue
            effects = await self._attempt(reaction, handled, event)
            if effects is not None:
                done.append((event, effects))
        await self._write(reaction, done)

    async def _attempt(self, reaction: AnyReaction, handled: Handled, event: Delivered) -> Sequence[Effect] | None:
        """The effects of one event, or None where it had to be parked."""
        for attempt in range(_KEY_TRIES):
            try:
                return await self._timed(reaction, handled, event)
            except KeyNotHere as error:
                reason: BaseException = error
            except Exception as error:
                if passing(error):
                    raise
                reason = error
                if attempt + 1 >= _TRIES:
                    break
                await asyncio.sleep(_PAUSE * 2**attempt)
        await self._give_up(reaction, event, reason)
        return None

    async def _timed(self, reaction: AnyReaction, handled: Handled, event: Delivered) -> Sequence[Effect]:
        outcome, start = "failed", time.perf_counter()
        with tracing.span_because_of(f"reaction {reaction.name}", event.trace):
            try:
                effects = await handled(event)
                outcome = "applied" if effects else "done"
                return effects
            finally:
                metrics.reaction_seconds.labels(reaction.name, outcome).observe(time.perf_counter() - start)

    async def _write(self, reaction: AnyReaction, done: Sequence[tuple[Delivered, Sequence[Effect]]]) -> None:
        """The effects of a batch at once; one by one where that fails, to find the one that cannot be written."""
        try:
            await self._write_together(reaction, done)
        except Exception as error:
            if passing(error) or not done:
                raise
            if len(done) == 1:
                await self._give_up(reaction, done[0][0], error)
                return
            for one in done:
                if self._parking.holds(reaction.name, one[0]):
                    await self._park(reaction, one[0], _BEHIND)
                else:
                    await self._write(reaction, [one])

    async def _write_together(self, reaction: AnyReaction, done: Sequence[tuple[Delivered, Sequence[Effect]]]) -> None:
        writes = [w for event, effects in done for e in effects for w in e.writes(self._origin(reaction, event))]
        for name, group in groupby(sorted(writes, key=_collection), key=_collection):
            await self._house.mongo.bulk(name, [write for _, write in group])
        await self._remember(reaction, [event for event, _ in done])
        for event, effects in done:
            with tracing.bound(event.trace):
                log.info("an event had its effect", reaction=reaction.name, event_id=event.id, writes=len(effects))
            metrics.event_age.labels(reaction.name).observe((self._house.clock() - event.at).total_seconds())
            for recorded in (r for effect in effects for r in effect.recorded()):
                metrics.events_recorded.labels(recorded.type_name()).inc()

    async def _give_up(self, reaction: AnyReaction, event: Delivered, error: BaseException) -> None:
        with tracing.bound(event.trace):
            log.error("a reaction failed", reaction=reaction.name, event_id=event.id, exc_info=error)
            await self._park(reaction, event, logs.told(error))

    async def _park(self, reaction: AnyReaction, event: Delivered, reason: str) -> None:
        """Until that is certain: where only the answer was lost, another try must not have the effect as well."""

        async def parked() -> None:
            self._expect_ours(event.record)
            await self._parking.park(reaction.name, event, reason)

        await lasting(parked)

    def _expect_ours(self, record: Incoming) -> None:
        """_Moved where we may not know all that is parked of this partition, or its new owner would not learn of it."""
        settled = (self._reader.assigned(), self._reader.turn()) == (self._ours, self._turn)
        if not settled or (record.topic, record.partition) not in self._ours:
            raise _Moved

    def _origin(self, reaction: AnyReaction, event: Delivered) -> Origin:
        cause = f"event:{event.id}:{reaction.name}"
        return Origin(self._house.clock(), reaction.name, self._house.city, cause, None, event.trace)

    async def _unseen(self, reaction: AnyReaction, wanted: Sequence[Delivered]) -> Sequence[Delivered]:
        if not reaction.remembers:
            return wanted
        ids = list({_memory(reaction, event) for event in wanted})
        found = await self._house.mongo.find("seen", {"_id": {"$in": ids}}, limit=len(ids))
        seen = {document["_id"]: document["version"] for document in found}
        fresh = []
        for event in wanted:
            # Within a batch too: a relay that crashed sends the same event twice in a row.
            if event.version > seen.get(_memory(reaction, event), 0):
                seen[_memory(reaction, event)] = event.version
                fresh.append(event)
        return fresh

    async def _remember(self, reaction: AnyReaction, events: Iterable[Delivered]) -> None:
        if not reaction.remembers:
            return
        latest = {_memory(reaction, event): event.version for event in events}
        await self._house.mongo.bulk(
            "seen", [Put({"_id": id}, {"$max": {"version": v}}, upsert=True) for id, v in latest.items()]
        )

    async def _replay(self, document: Document) -> None:
        """One parked event again; the order of its entity is the order in which ``flagged`` gives them."""
        reaction = next((r for r in self._reactions if r.name == document["reaction"]), None)
        if reaction is None:
            await self._parking.keep_waiting(document, "no reaction of this name is on")
            return
        if not await self._parking.is_next(document):
            return
        try:
            event = Delivered.of(record_of(document))
            handled = await reaction.batch(self._house, [event])
            effects = await self._timed(reaction, handled, event)
            await self._write_together(reaction, [(event, effects)])
        except Exception as error:
            if passing(error):
                raise
            await self._parking.fail_again(document, logs.told(error))
            return
        await self._parking.unpark(document)

    async def _confirm(self, last: Sequence[Incoming]) -> None:
        while last:
            try:
                if not await self._reader.commit(last):
                    log.warning("partitions went elsewhere before the commit; their events may come again")
                return
            except BrokerAway:
                await asyncio.sleep(1)

    def _measure(self) -> None:
        for (topic, partition), lag in self._reader.lags().items():
            metrics.consumer_lag.labels(topic, str(partition)).set(lag)


def _memory(reaction: AnyReaction, event: Delivered) -> str:
    return f"{reaction.name}|{event.entity}"


def _collection(write: Write) -> str:
    return write[0]
