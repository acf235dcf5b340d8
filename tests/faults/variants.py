"""The broken variants of the protocol, one for each guard, and what exposes each: none of it is in the services."""

import secrets
from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaTimeoutError

from services.chassis.messaging import relay as relays
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import BrokerAway, Outgoing, Publisher
from services.chassis.messaging.parking import Parking
from services.chassis.messaging.reactions import Keep, Write
from services.chassis.messaging.relay import Relay
from services.chassis.storage import archive, store
from services.chassis.storage.mongo import Document, Put
from services.chassis.storage.store import Store
from tests.faults.stage import Death, Stage, Variant
from tests.support import toy

POISON = 13


async def blind_retry(stage: Stage) -> None:
    """A cause is not looked for in the history; the answer to a command is lost, and it is sent again."""
    stage.variant(Store, "_refuse_repeat", lambda *_: None)
    jar = await stage.city.jar()
    await stage.command(jar, tries=2)


class MarksFirst(Relay):
    """Calls published what it is about to send."""

    async def round(self, names: Collection[str] | None = None) -> int:
        """One batch: marked, then sent."""
        documents = await self.read(names)
        await self.mark(documents, {document["_id"]: document["version"] for document in documents})
        return len(await self.send(documents))


async def mark_first(stage: Stage) -> None:
    """A relay dies when it is about to send."""
    await stage.city.jar(1, 2)
    relay, death = stage.relay(MarksFirst if stage.broken else Relay), Death()
    stage.patch.setattr(relay, "send", death)
    await death.of(relay.round())


class CommitsFirst(Consumer):
    """Confirms what it has read, and takes it then."""

    async def _round(self) -> None:
        batches = await self._reader.poll(250)
        await self._delivery.settle()
        await self._reader.commit([records[-1] for records in batches])
        await self._deliver_bundle(batches)


async def commit_first(stage: Stage) -> None:
    """A consumer dies when it is about to take its first batch."""
    await stage.city.jar(1, 2)
    await stage.city.publish()
    consumer, death = await stage.consumer(CommitsFirst if stage.broken else Consumer), Death()
    stage.patch.setattr(consumer._delivery, "take", death)
    await death.of(consumer.run())


_guarded = Keep.writes


def _unguarded(keep: Keep, origin: Any) -> Sequence[Write]:
    """Whatever stands there is overwritten."""
    return [
        (n, Put({"_id": keep.document["_id"]}, p.update, upsert=True))
        for n, p in _guarded(keep, origin)
        if isinstance(p, Put)
    ]


async def unguarded_copy(stage: Stage) -> None:
    """A worker freezes before it writes its copies; another goes on; it thaws, writes, and is gone."""
    stage.variant(Keep, "writes", _unguarded)
    jar = await stage.city.jar(1)
    await stage.city.publish()
    frozen, death = await stage.consumer(group=".frozen"), Death()
    write = frozen._delivery._write_together
    stalled: list[Any] = []

    async def stall(*given: Any) -> None:
        stalled.append(given)
        await death()

    stage.patch.setattr(frozen._delivery, "_write_together", stall)
    await death.of(frozen.run())
    await stage.gone()
    await stage.city.drop(jar, 3)
    await stage.city.settle()
    await write(*stalled[0])


async def own_id(stage: Stage) -> None:
    """The answer to a command that makes something is lost, and it is sent again."""
    stage.variant(store, "id_from", lambda kind, _: f"{kind}_{secrets.token_hex(8)}")
    await stage.command(tries=2)


def _all_surplus(document: Document, cap: int) -> list[Document]:
    return document["history"][: len(document["history"]) - cap // 2]  # type: ignore[no-any-return]


async def _pull_all(mongo: Any, name: str, id: str, upto: int) -> None:
    gone = {"$pull": {"history": {"version": {"$lte": upto}}}, "$max": {"archived": upto}}
    await mongo.update(name, {"_id": id}, gone)


async def trim_unpublished(stage: Stage) -> None:
    """Much is written between a relay's mark and its trim."""
    stage.variant(archive, "surplus", _all_surplus)
    stage.variant(archive, "pull", _pull_all)
    jar = await stage.city.jar(*range(1, 7))
    relay = stage.relay()
    trim = relay.trim

    async def trim_late(documents: Sequence[Document]) -> None:
        for coins in range(6):
            await stage.city.drop(jar, coins)
        await trim(documents)

    stage.patch.setattr(relay, "trim", trim_late)
    await relay.round()


class Hiccup(Publisher):
    """Its producer does not take the second record in time, once."""

    async def _started(self) -> Any:
        producer = await super()._started()
        if not hasattr(self, "_seen"):
            self._seen, send = 0, producer.send

            async def sent(*given: Any, **more: Any) -> Any:
                self._seen += 1
                if self._seen == 2:
                    raise KafkaTimeoutError("the broker was busy")
                return await send(*given, **more)

            producer.send = sent
        return producer


class GoesOn(Hiccup):
    """Keeps a producer that has failed, and sends with it what comes behind."""

    async def _enqueue(self, producer: Any, record: Outgoing) -> Awaitable[Any]:
        try:
            return await super()._enqueue(producer, record)
        except BrokerAway as error:
            return _failed(error)

    async def _discard(self, seconds: float = 1) -> None:
        """It is kept."""

    async def stop(self) -> None:
        """Closed in the end."""
        await Publisher._discard(self, 5)


async def _failed(error: BrokerAway) -> None:
    raise error


async def go_on(stage: Stage) -> None:
    """The broker does not take one of an entity's events in time."""
    await stage.city.jar(1, 2, 3)
    publisher = (GoesOn if stage.broken else Hiccup)(stage.city.world.kafka)
    relay = stage.relay(publisher=publisher)
    for _ in range(2):
        try:
            await relay.round()
        except BrokerAway:
            continue
    await publisher.stop()


def _blocks_itself(parking: Parking, reaction: str, event: Delivered) -> bool:
    return f"{reaction}|{event.id}" in parking._parked.get((reaction, event.entity), {})


async def follow_past(stage: Stage) -> None:
    """A reaction fails on an event that has followers."""
    stage.variant(Parking, "blocks", _blocks_itself)
    stage.patch.setattr(toy.Poison, "coins", {POISON})
    await stage.city.jar(1, POISON, 2)


def _unset(document: Document, version: int) -> Put:
    return Put(
        {"_id": document["_id"]}, [{"$set": {"published": {"$max": ["$published", version]}, "pending": "$$REMOVE"}}]
    )


async def unguarded_mark(stage: Stage) -> None:
    """Somebody writes between a relay's read and its mark."""
    stage.variant(relays, "marking", _unset)
    jar = await stage.city.jar(1)
    relay = stage.relay()
    mark = relay.mark

    async def mark_late(documents: Sequence[Document], published: Mapping[str, int]) -> None:
        await stage.city.drop(jar, 2)
        await mark(documents, dict(published))

    stage.patch.setattr(relay, "mark", mark_late)
    await relay.round()


L7 = frozenset(("L7", about) for about in ("copy-jar", "count-coins", "note-coins"))

VARIANTS = (
    Variant("blind retry without cause", "an answer is lost", toy.shop, frozenset({("L1", ""), ("L8", "causes")}),
            blind_retry),
    Variant("marking published before the acknowledgement", "the relay dies before it sends", toy.shop,
            frozenset({("L5", "topic")}), mark_first),
    Variant("committing the offset before the effect", "the consumer dies in between", toy.hall, L7, commit_first),
    Variant("a copy without its version guard", "a frozen worker thaws", toy.hall, frozenset({("L7", "copy-jar")}),
            unguarded_copy),
    Variant("a create without the id from its cause", "an answer is lost", toy.shop,
            frozenset({("L1", ""), ("L8", "causes")}), own_id),
    Variant("trimming unpublished history", "writes between mark and trim", toy.shop, frozenset({("L3", "")}),
            trim_unpublished),
    Variant("going on with a producer that has failed", "one record is not taken in time", toy.shop,
            frozenset({("L6", "")}), go_on),
    Variant("a parked event that does not park its followers", "a reaction fails on one event", toy.hall,
            frozenset({("L7", "count-coins")}), follow_past),
    Variant("unsetting `pending` without the version guard", "a write between read and mark", toy.shop,
            frozenset({("L5", "marks")}), unguarded_mark),
)  # fmt: skip
