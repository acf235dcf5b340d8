"""The road from the toy's shop through a real broker to its hall, built and broken by tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.chassis.domain.scope import system_actor
from services.chassis.guards import visible
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.kafka import PARTITIONS, Publisher, Reader, create_topics
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.relay import Relay
from services.chassis.storage import archive
from services.chassis.usecase import Container, Context
from tests.support import consuming, toy
from tests.support.toy import DropCoin, Jar, OpenJar
from tests.support.world import World

SOURCE = "/linli/hulunbuir/members"


@dataclass
class Road:
    """One shop, one hall, and the topics between them."""

    world: World
    shop: Container
    hall: Container
    publishers: list[Publisher] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    count: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, world: World) -> "AsyncIterator[Road]":
        """Databases and topics of its own; everything is closed at the end."""
        settings = world.settings()
        names = {short: settings.topic(short) for short in ("members", "keys")}
        shop, hall, differing = await asyncio.gather(
            world.container(toy.shop), world.container(toy.hall), create_topics(world.kafka, names, 1)
        )
        assert differing == []
        road = cls(world, shop, hall)
        try:
            yield road
        finally:
            await asyncio.gather(*(publisher.stop() for publisher in road.publishers))
            await asyncio.gather(*(reader.stop() for reader in road.readers))
            await road.shop.mongo.close()
            await road.hall.mongo.close()

    @property
    def topic(self) -> str:
        """Where the shop's events go."""
        return self.world.settings().topic("members")

    def doing(self, cause: str | None = None) -> Context:
        """The keeper acts in the shop."""
        self.count += 1
        return self.shop.context(toy.KEEPER, cause or f"road:{self.count}", within=visible)

    async def jar(self, *drops: int) -> Jar:
        """A jar into which these coins were dropped."""
        jar = await toy.open_jar(self.doing(), OpenJar(label="plums", size=10**9))
        for coins in drops:
            jar = await self.drop(jar, coins)
        return jar

    async def drop(self, jar: Jar, coins: int) -> Jar:
        """Coins fall into a jar."""
        return await toy.drop_coin(self.doing(), jar.id, DropCoin(coins=coins))

    def publisher(self, brokers: str | None = None, kind: type[Publisher] = Publisher) -> Publisher:
        """A way to the broker, closed at the end."""
        self.publishers.append(kind(brokers or self.world.kafka))
        return self.publishers[-1]

    def relay(self, publisher: Publisher | None = None) -> Relay:
        """A relay of the shop."""
        settings = self.world.settings()
        topics = (self.topic, settings.topic("keys"))
        return Relay(self.shop.mongo, publisher or self.publisher(), (Jar,), SOURCE, topics, settings.history_cap)

    async def publish(self, relay: Relay | None = None) -> None:
        """Relay until nothing is left."""
        relay = relay or self.relay()
        while await relay.round():
            continue

    async def reader(self, member: str = "hall-0", group: str = "hall") -> Reader:
        """A member of a group on the shop's topic."""
        reader = Reader(self.world.kafka, [self.topic], f"{self.world.name}.{group}", member)
        await reader.start()
        self.readers.append(reader)
        return reader

    async def consumer(
        self,
        member: str = "hall-0",
        group: str = "hall",
        reactions: Sequence[AnyReaction] = toy.hall.all_reactions,
        most_failures: int = 20,
    ) -> Consumer:
        """A consumer of the hall."""
        return await self.member(await self.reader(member, group), reactions, member, group, most_failures)

    async def member(
        self,
        reader: Reader,
        reactions: Sequence[AnyReaction],
        name: str = "hall-0",
        group: str = "hall",
        most_failures: int = 20,
    ) -> Consumer:
        """A consumer of the hall, on a reader that is there."""
        return await consuming.member(self.hall, reader, reactions, f"{self.world.name}.{group}", name, most_failures)

    async def records(self, topic: str | None = None) -> list[Any]:
        """Everything on a topic (the shop's, unless another is given), a partition after the other."""
        places = [TopicPartition(topic or self.topic, number) for number in range(PARTITIONS)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.world.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found: list[Any] = []
            while len(found) < sum(ends.values()):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += batch
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def put(self, key: str, value: bytes | None, headers: Sequence[tuple[str, Any]]) -> None:
        """A record of anybody's making."""
        producer = AIOKafkaProducer(bootstrap_servers=self.world.kafka)
        await producer.start()
        await producer.send_and_wait(self.topic, value, key=key.encode(), headers=list(headers))
        await producer.stop()

    async def sum(self, jar: Jar) -> toy.Sum:
        """What the hall has counted of a jar."""
        return await toy.sum_of(self.hall.context(system_actor("test"), "read"), jar.id)

    async def notes(self, jar: Jar) -> list[int]:
        """What the hall has noted of a jar."""
        found = await self.hall.mongo.find("notes", {"state.about": jar.id}, limit=10_000)
        return sorted(note["state"]["coins"] for note in found)

    async def parked(self) -> list[tuple[str, str, bool]]:
        """What is parked in the hall: reaction, event, flagged for replay."""
        found = await self.hall.mongo.find("parked", {}, sort=[("reaction", 1), ("offset", 1)], limit=1000)
        return [(p["reaction"], p["_id"].partition("|")[2], p.get("replay", False)) for p in found]

    async def history(self, jar: dict[str, Any]) -> list[dict[str, Any]]:
        """All that happened to a jar, by its document."""
        return await archive.whole(self.shop.mongo, "jars", jar)

    async def check_topic(self) -> int:
        """Nothing lost, no phantom, first occurrences in order, one partition for each key; how many came twice."""
        jars = await self.shop.mongo.find("jars", {}, limit=10_000)
        wanted = {e["id"] for jar in jars for e in await self.history(jar) if e["published"]}
        records = await self.records()
        ids = [dict(record.headers)["ce_id"].decode() for record in records]
        assert set(ids) == wanted
        first = list(dict.fromkeys(ids))
        for jar in jars:
            versions = [int(id.rpartition(":")[2]) for id in first if id.startswith(f"{jar['_id']}:")]
            assert versions == sorted(versions)
            assert len({r.partition for r in records if r.key.decode() == jar["_id"]}) == 1
            assert ("pending" in jar, jar["published"]) == (False, jar["version"])
        return len(ids) - len(wanted)


@asynccontextmanager
async def running(*consumers: Consumer) -> AsyncIterator[None]:
    """These consumers at work; they end orderly, and what ended them otherwise is raised."""
    tasks = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield
        for consumer in consumers:
            consumer.finish()
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 20) -> None:
    """Wait for a condition; TimeoutError where it does not come."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - it asks a database
            await asyncio.sleep(0.02)


def in_batches_of(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay moves so many entities a round, however many collections it reads."""
    monkeypatch.setattr("services.chassis.messaging.relay._BATCH", number)
    monkeypatch.setattr("services.chassis.messaging.relay._BATCH_PER_KIND", 0)
