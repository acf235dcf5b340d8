"""Backfill: reactions that are not on catch up from where they left off, without a gap or a duplicate effect."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.chassis.domain.checks import TopicPartition
from services.chassis.messaging import control, switching
from services.chassis.messaging.control import DesiredState
from services.chassis.messaging.delivery import Delivery
from services.chassis.messaging.failures import TooManyFailures
from services.chassis.messaging.kafka import Incoming, TopicReader
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switches import Offsets, blocked_by, started_with
from services.chassis.operations.answering import CannotAnswer, Plain, Say
from services.chassis.operations.protocol import BackfillRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Mongo
from services.chassis.usecase import Container

PAUSE_SECONDS = 2.0
"""The longest pause of the other reactions while one catches up, in seconds."""
_RESUME_SECONDS = 0.5
"""Of this pause, what a member may take until it sees that it is over."""
_FOLLOW_SECONDS = 1.0
_GIVE_UP_SECONDS = 90.0
"""How long to try to get all members to pause in time, in seconds: a dead member counts as alive for a minute."""
_CLOSE = 200
"""So few records are left for the pause."""
_RUNS = 50
_LEASE_SECONDS = 30.0


class NotNow(CannotAnswer):
    """It cannot be done as things are; the text says why."""


@dataclass(frozen=True)
class _All:
    """Who has all partitions for good, without a group."""

    places: frozenset[TopicPartition]

    def assigned(self) -> frozenset[TopicPartition]:
        """All of them."""
        return self.places

    def generation(self) -> int:
        """They are given out once."""
        return 1


class Backfill:
    """Lets one reaction, and those that wait only for its copy, catch up and turns them on.

    Each begins where it was turned off, a new one at the beginning of the topics. Its position is kept in its switch:
    after a kill, the next run continues from there. It reads up to the offsets that the group has confirmed; what
    comes after them the consumer delivers. So the last part is read while the consumer is paused, for at most
    ``PAUSE_SECONDS``. If that is not enough, the consumer resumes, and the backfill tries again later.
    """

    def __init__(
        self,
        container: Container,
        past: TopicReader,
        reactions: Sequence[AnyReaction],
        name: str,
        group: str,
        topics: Sequence[str],
    ) -> None:
        """``reactions``: all of the service, ``name``: the one to catch up; ``group``, ``topics`` of its consumer."""
        self._container, self._past, self._name = container, past, name
        self._reactions = {reaction.name: reaction for reaction in reactions}
        self._group, self._topics = group, topics
        self._by = f"backfill of {name}"

    async def distance(self) -> int:
        """How many records there are to read yet, for all that start; NotNow where it is on, or waits for a copy."""
        desired, confirmed = await self._desired(), await self._confirmed()
        return sum(desired.switches[name].behind(confirmed) for name in self._starting(desired))

    async def run(self, lease: Lease, say: Say) -> int:
        """Catch up and turn them on; how many records were read. NotNow where another one is at it, or this one is on.

        TimeoutError where the workers do not pause in time. TooManyFailures where it fails again and again.
        """
        if not await lease.acquire():
            raise NotNow(f"the {self._by} is running already: wait until it ends")
        read, pause, give_up = 0, 1.0, time.monotonic() + _GIVE_UP_SECONDS
        while True:
            read += await self._approach(lease, say)
            say("the consumer pauses for the last part")
            if (last := await self._last_stretch(lease, say, final=time.monotonic() > give_up)) is not None:
                return read + last
            say(f"the pause was too short: the consumer continues, next try in {pause:g} s")
            await asyncio.sleep(pause)
            read += await self._catch_up(lease, say)  # what is slow is taken now, while nobody waits
            pause = min(8.0, pause * 2)

    @property
    def _mongo(self) -> Mongo:
        return self._container.mongo

    async def _approach(self, lease: Lease, say: Say) -> int:
        """Come so close that the rest fits into the pause; meanwhile the consumer confirms more."""
        read = await self._catch_up(lease, say)
        for _ in range(_RUNS):
            if await self.distance() <= _CLOSE:
                break
            read += await self._catch_up(lease, say)
        return read

    async def _last_stretch(self, lease: Lease, say: Say, *, final: bool) -> int | None:
        """How many records it read; None where the pause was too short, TimeoutError where the try was ``final``."""
        try:
            async with asyncio.timeout(PAUSE_SECONDS - _RESUME_SECONDS):
                async with control.paused(self._mongo, self._group, self._by, self._by, _FOLLOW_SECONDS) as order:
                    read = await self._catch_up(lease, say)
                    await self._turn_on(order)
                    return read
        except TimeoutError:
            if (await self._desired()).switches[self._name].on:  # only the answer came too late
                return 0
            if final:
                raise
            return None

    async def _turn_on(self, order: int) -> None:
        names = self._starting(await self._desired())
        if not await switching.turn_on(self._mongo, self._group, names, order):
            raise NotNow("the state of the consumer was changed before the end: run the backfill again")

    async def _catch_up(self, lease: Lease, say: Say) -> int:
        """One after the other, the copy first: what reads it needs all of it, from all partitions."""
        desired, confirmed, read = await self._desired(), await self._confirmed(), 0
        for name in self._starting(desired):
            try:
                read += await self._catch_up_one(name, desired, confirmed, lease, say)
            except TooManyFailures as error:
                if name == self._name:
                    raise
                await switching.turn_off(
                    self._mongo, self._group, error.reasons, self._by, confirmed
                )  # it alone: it waits on
        return read

    async def _catch_up_one(self, name: str, desired: DesiredState, confirmed: Offsets, lease: Lease, say: Say) -> int:
        delivery = Delivery(self._container, _All(frozenset(confirmed)), [self._reactions[name]])
        await delivery.learn()  # what is to be replayed or dropped is for the consumer to do
        read = 0
        for place, end in sorted(confirmed.items()):
            async for records in self._past.read(*place, desired.switches[name].starts_at(place), end):
                if not await lease.acquire():
                    raise NotNow(f"another {self._by} has taken over")
                await self._take(delivery, name, records)
                read += len(records)
                say(f"{name}: {read} records read")
        return read

    async def _take(self, delivery: Delivery, name: str, records: Sequence[Incoming]) -> None:
        """Effects, memory, and only then how far it is."""
        if records:
            try:
                await delivery.take(records)
            finally:  # what had its effect before one that failed is not to be repeated
                await delivery.remember()
            last = records[-1]
            place = last.topic, last.partition
            await switching.advance(self._mongo, self._group, name, place, last.offset + 1)

    async def _confirmed(self) -> dict[TopicPartition, int]:
        return {p: at for p, at in (await self._past.committed(self._group)).items() if p[0] in self._topics}

    async def _desired(self) -> DesiredState:
        return await control.desired_state(self._mongo, self._group)

    def _starting(self, desired: DesiredState) -> list[str]:
        """What catches up, in this order."""
        known = desired.switches
        if (switch := known.get(self._name)) is None:
            raise NotNow(f"no worker knows {self._name} yet: start the workers of this version first")
        if switch.on:
            raise NotNow(f"{self._name} is on already")
        if copies := blocked_by(switch, known):
            raise NotNow(f"{self._name} reads what {', '.join(copies)} copies, and that is off: backfill that first")
        return [name for name in started_with(self._name, known) if name in self._reactions]


def named(reactions: Sequence[AnyReaction], name: str) -> AnyReaction:
    """The reaction of this name; NotNow tells which there are."""
    with suppress(StopIteration):
        return next(reaction for reaction in reactions if reaction.name == name)
    raise NotNow(f"there is no reaction {name}: choose one of {', '.join(r.name for r in reactions)}")


async def backfill(service: Service, settings: Settings, request: BackfillRequest, say: Say) -> Plain:
    """Show what a backfill would read, or do it. NotNow and others as ``Backfill.run``."""
    container, group = open_container(service, settings), settings.group(service.name)
    topics = [settings.topic(name) for name in service.listens_to]
    try:
        async with TopicReader(settings.kafka).open() as past:
            reaction = named(service.all_reactions, request.reaction)
            one = Backfill(container, past, service.all_reactions, reaction.name, group, topics)
            distance = await one.distance()
            workers = len((await control.desired_state(container.mongo, group)).members)
            known = {"service": service.name, "reaction": request.reaction, "records": distance, "workers": workers}
            if not request.write:
                return Plain({**known, "dry_run": True})
            return Plain({**known, "dry_run": False, "read": await _done(one, container.mongo, service, say)})
    finally:
        await container.mongo.close()


async def _done(one: Backfill, mongo: Mongo, service: Service, say: Say) -> int:
    lease = Lease(mongo, "backfill", f"{service.name}-backfill", _LEASE_SECONDS)
    try:
        read = await one.run(lease, say)
    except (TooManyFailures, TimeoutError) as error:
        raise NotNow(str(error) or "the workers do not pause in time") from error
    await lease.release()
    return read
