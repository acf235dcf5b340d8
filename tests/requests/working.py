"""The loops of the service in a town, on the real broker, and what they have done by now."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from services.chassis.domain.paging import Order
from services.chassis.messaging.kafka import Publisher, Reader, create_topics
from services.chassis.messaging.relay import Relay
from services.chassis.storage.leases import Lease
from services.requests.app import service
from services.requests.cases.dispatch.model import TeamLoad
from services.requests.cases.dispatch.queries import load_id
from tests.requests.town import Town
from tests.support import consuming


@asynccontextmanager
async def working(town: Town) -> AsyncIterator[None]:
    """The relay and the consumer of the service, on the real broker."""
    settings = town.world.settings()
    names = {name: settings.topic(name) for name in ("members", "requests", "keys")}
    await create_topics(settings.kafka, names, 1)
    publisher = Publisher(settings.kafka)
    topics = (names["requests"], names["keys"])
    relay = Relay(town.container.mongo, publisher, service.entities, "/linli/requests", topics, settings.history_cap)
    reader = Reader(settings.kafka, [names["members"], names["requests"]], f"{town.world.name}.requests", "requests-0")
    await reader.start()
    consumer = await consuming.member(town.container, reader, service.all_reactions, f"{town.world.name}.requests")
    lease = Lease(town.container.mongo, "relay", "requests-0", 10)
    loops = [asyncio.create_task(relay.run(lease, town.container.changes))]
    loops.append(asyncio.create_task(consumer.run()))
    try:
        yield
    finally:
        consumer.finish()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(loops[1]), 10)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await reader.stop()
        await publisher.stop()


async def load_of(town: Town, team_id: str) -> list[str]:
    """The cases that a team has slots for."""
    store = town.container.system_context("test", "read").store
    found = await store.find(TeamLoad, {"_id": load_id(team_id)}, order=Order("_id"), limit=1)
    return found[0].cases if found else []


async def handlers(town: Town) -> dict[str, list[str]]:
    """The cases of each handler."""
    found = await town.container.mongo.find("cases", {}, show={"state.handler_id": 1}, limit=200)
    cases: dict[str, list[str]] = {}
    for document in found:
        cases.setdefault(document["state"]["handler_id"], []).append(document["_id"])
    return cases


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    """Wait until something is so."""
    for _ in range(int(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError
