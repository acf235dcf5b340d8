"""The toy city with its relays and its consumer running, and hands that break it for the ledger to see."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.kafka import Outgoing, Publisher, Reader, TopicReader, create_topics
from services.chassis.messaging.relay import Relay
from services.chassis.operations.ledger.report import Report
from services.chassis.operations.ledger.verify import verify
from services.chassis.operations.protocol import VerifyRequest
from services.chassis.runtime.service import Service
from services.chassis.usecase import Container
from tests.support import consuming, toy
from tests.support.world import World


@dataclass
class City:
    """A shop whose relay sends, a hall whose consumer reads, when told to."""

    world: World
    shop: Container
    hall: Container
    publisher: Publisher
    causes: int = field(default=0)

    @classmethod
    @asynccontextmanager
    async def open(cls, world: World) -> AsyncIterator["City"]:
        """With empty databases and topics."""
        settings = world.settings()
        names = {name: settings.topic(name) for name in ("members", "requests", "keys")}
        shop, hall, _ = await asyncio.gather(
            world.container(toy.shop), world.container(toy.hall), create_topics(settings.kafka, names, 1)
        )
        city = cls(world, shop, hall, Publisher(settings.kafka))
        yield city
        await city.publisher.stop()
        await city.shop.mongo.close()
        await city.hall.mongo.close()

    async def jar(self, *coins: int) -> str:
        """A new jar into which these coins fell, one by one."""
        jar = await toy.open_jar(self.doing(), toy.OpenJar(label="sweets"))
        for number in coins:
            await self.drop(jar.id, number)
        return jar.id

    async def drop(self, jar: str, coins: int) -> None:
        """Coins fall into a jar."""
        await toy.drop_coin(self.doing(), jar, toy.DropCoin(coins=coins))

    def doing(self) -> Any:
        """The context of another use case."""
        self.causes += 1
        return self.shop.context(toy.KEEPER, f"http:keeper:POST:/v1/jars:{self.causes}")

    def relay(self, service: Service) -> Relay:
        """The relay of a service."""
        settings, container = self.world.settings(), self.shop if service is toy.shop else self.hall
        topics = (settings.topic(service.name), settings.topic("keys"))
        source = f"/linli/{service.name}"
        return Relay(container.mongo, self.publisher, service.entities, source, topics, settings.history_cap)

    async def publish(self) -> None:
        """Both relays send all there is."""
        for service in (toy.shop, toy.hall):
            relay = self.relay(service)
            while await relay.round():
                pass

    @asynccontextmanager
    async def consuming(self, hall: Service = toy.hall, most_failures: int = 20) -> AsyncIterator[Consumer]:
        """The consumer of the hall, or of another version of it, at work as long as the block lasts."""
        settings = self.world.settings()
        reader = Reader(settings.kafka, [settings.topic("members")], self.group, "hall-0")
        await reader.start()
        consumer = await consuming.member(
            self.hall, reader, hall.all_reactions, self.group, most_failures=most_failures
        )
        task = asyncio.create_task(consumer.run())
        try:
            yield consumer
        finally:
            consumer.finish()
            await asyncio.wait([task], timeout=60)
            await reader.stop()
            task.result()

    @property
    def group(self) -> str:
        """The group of the hall's consumer."""
        return f"{self.world.name}.requests"

    async def caught_up(self, seconds: float = 20) -> None:
        """Wait until the hall has confirmed all that the shop sent."""
        topic = self.world.settings().topic("members")
        async with asyncio.timeout(seconds), TopicReader(self.world.kafka).open() as past:
            ends = {place: end for place, end in (await past.ends(topic)).items() if end}
            while not ends.items() <= (await past.committed(self.group)).items():  # noqa: ASYNC110 - brokers do not call
                await asyncio.sleep(0.05)

    async def settle(self) -> None:
        """All is sent, has had its effect, and what that recorded is sent too."""
        await self.publish()
        async with self.consuming():
            await self.caught_up()
        await self.publish()

    async def send(self, key: str, value: bytes, headers: dict[str, str], topic: str = "members") -> None:
        """Put any record on a topic."""
        await self.publisher.send([Outgoing(self.world.settings().topic(topic), key, value, headers)])

    async def garbled(self) -> str:
        """A jar whose third event came garbled, and whose fourth came after it."""
        jar = await self.jar(1)
        await self.settle()
        await self.send(jar, b'{"coins":"many"}', headers(f"{jar}:3", toy.CoinDropped.type_name()))
        await self.drop(jar, 1)
        await self.damage(toy.Jar, jar, {"$set": {"published": 3}, "$unset": {"pending": ""}})
        await self.drop(jar, 2)
        await self.settle()
        return jar

    async def verify(self, service: Service, **question: Any) -> Report:
        """The ledger of one service."""
        return await verify(service, self.world.settings(), VerifyRequest(**{"within": 10, **question}))

    async def breaches(self, *services: Service, **question: Any) -> set[tuple[str, str, str]]:
        """(service, check, about) of every line with a breach, for these services or both."""
        reports = [await self.verify(service, **question) for service in services or (toy.shop, toy.hall)]
        return {(r.service, line.check, line.about) for r in reports for line in r.lines if line.breaches}

    async def damage(self, kind: type[Entity[Any]], id: str, change: Any) -> None:
        """Change a stored document behind everybody's back."""
        container = self.shop if kind in toy.shop.entities else self.hall
        assert await container.mongo.update(kind.collection(), {"_id": id}, change) == 1


def counts(report: Report, check: str, about: str = "") -> dict[str, int]:
    """What a line counted."""
    return dict(next(line.counts for line in report.lines if (line.check, line.about) == (check, about)))


def examples(report: Report, check: str, about: str = "") -> Sequence[str]:
    """What a line said of its breaches."""
    return next(line.examples for line in report.lines if (line.check, line.about) == (check, about))


def headers(id: str, kind: str) -> dict[str, str]:
    """The headers of an event as a relay sends it."""
    known = {"ce_id": id, "ce_type": kind, "ce_schema": "1", "ce_actor": "nobody"}
    return {**known, "ce_time": "2026-11-23T08:00:00+00:00"}
