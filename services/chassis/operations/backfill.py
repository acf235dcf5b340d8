"""Backfill: a reaction that is off takes all the past, then is turned on without a hole and without a double."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.chassis.domain.values import now
from services.chassis.messaging import control, switches
from services.chassis.messaging.control import TopicPartition
from services.chassis.messaging.delivery import Delivery, TooManyFailures
from services.chassis.messaging.kafka import Incoming, Past
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.operations.answering import CannotAnswer, Plain, Say
from services.chassis.operations.protocol import BackfillRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Mongo
from services.chassis.usecase import Container

COLLECTION = "backfills"
REST_SECONDS = 90.0
"""So long may the members take to end the batch in hand."""
_CLOSE = 2_000
_RUNS = 5
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
    """One reaction on its way through the past; killed at any step it goes on from there when it is run again.

    What the group has confirmed is the past; what lies behind that the consumer brings. So the last stretch is taken
    while the consumer rests: it confirms nothing meanwhile, and goes on with the reaction turned on.
    """

    def __init__(
        self, container: Container, past: Past, reaction: AnyReaction, group: str, topics: Sequence[str]
    ) -> None:
        """``group``, ``topics``: those of the service's consumer."""
        self._container, self._past, self._reaction = container, past, reaction
        self._group, self._topics = group, topics
        self._by = f"backfill of {reaction.name}"

    async def distance(self) -> int:
        """How many records it has to read yet; NotNow where it is on."""
        await self._expect_off()
        reached = await self._reached()
        return sum(max(0, end - reached.get(place, 0)) for place, end in (await self._confirmed()).items())

    async def run(self, lease: Lease, say: Say) -> int:
        """Take the past and turn it on; how many records were read. NotNow, TimeoutError where members do not rest.

        Delivery's TooManyFailures where it fails on one event after the other.
        """
        if not await lease.hold():
            raise NotNow(f"the {self._by} runs already: wait for its end")
        await self._expect_off()
        read = 0
        for _ in range(_RUNS):  # each is shorter: meanwhile the consumer confirms more
            read += (latest := await self._catch_up(lease, say))
            if latest < _CLOSE:
                break
        say("the consumer comes to rest for the last stretch")
        async with control.resting(self._mongo, self._group, self._by, self._by, REST_SECONDS) as order:
            read += await self._catch_up(lease, say)
            await self._turn_on(order)
        return read

    @property
    def _mongo(self) -> Mongo:
        return self._container.mongo

    async def _turn_on(self, order: int) -> None:
        if not await switches.start(self._mongo, self._reaction.name, {}):
            raise NotNow(f"{self._reaction.name} was turned on by somebody else meanwhile")
        if (await control.desired_state(self._mongo, self._group)).order != order:
            await switches.stop(self._mongo, self._reaction.name, f"the rest for the {self._by} was ended too early")
            raise NotNow("somebody let the consumer go on before the end: run the backfill again")
        await control.renew(self._mongo, self._group)
        await self._mongo.delete(COLLECTION, {"_id": self._reaction.name})

    async def _catch_up(self, lease: Lease, say: Say) -> int:
        confirmed, reached = await self._confirmed(), await self._reached()
        delivery = Delivery(self._container, _All(frozenset(confirmed)), [self._reaction])
        await delivery.learn()  # what is to be replayed or dropped is for the consumer to do
        read = 0
        for place, end in sorted(confirmed.items()):
            async for records in self._past.read(*place, reached.get(place, 0), end):
                if not await lease.hold():
                    raise NotNow(f"another {self._by} has taken over")
                await self._take(delivery, records)
                read += len(records)
                say(f"{self._reaction.name}: {read} records read")
        return read

    async def _take(self, delivery: Delivery, records: Sequence[Incoming]) -> None:
        """Effects, memory, and only then how far we are."""
        if records:
            await delivery.take(records)
            last = records[-1]
            place = f"{last.topic}|{last.partition}".replace(".", "/")  # a dot would be a path
            reached = {f"reached.{place}": last.offset + 1, "at": now()}
            await self._mongo.update(COLLECTION, {"_id": self._reaction.name}, {"$set": reached}, upsert=True)

    async def _confirmed(self) -> dict[TopicPartition, int]:
        return {p: at for p, at in (await self._past.committed(self._group)).items() if p[0] in self._topics}

    async def _reached(self) -> Mapping[TopicPartition, int]:
        document = await self._mongo.find_one(COLLECTION, {"_id": self._reaction.name}) or {}
        return {_place(name): offset for name, offset in document.get("reached", {}).items()}

    async def _expect_off(self) -> None:
        known = {switch.name: switch for switch in await switches.switches(self._mongo)}
        if self._reaction.name not in known:
            raise NotNow(f"no worker has met {self._reaction.name} yet: start the workers of this version first")
        if known[self._reaction.name].on:
            raise NotNow(f"{self._reaction.name} is on: it has had all that came since the beginning")


def _place(name: str) -> TopicPartition:
    topic, _, partition = name.replace("/", ".").rpartition("|")
    return topic, int(partition)


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
        async with Past(settings.kafka).open() as past:
            one = Backfill(container, past, named(service.all_reactions, request.reaction), group, topics)
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
    except TooManyFailures as error:
        raise NotNow(str(error)) from error
    await lease.release()
    return read
