"""A second relay on purpose: under a lease of its own, so that nothing keeps the two apart."""

import asyncio
import sys

from services.chassis.messaging.kafka import Publisher
from services.chassis.messaging.relay import Relay
from services.chassis.runtime.service import open_container
from services.chassis.runtime.settings import load
from services.chassis.storage.leases import Lease
from tests.faults.dying import SERVICES


async def main(name: str) -> None:
    """Relay for a service until killed."""
    service = SERVICES[name]
    settings = load(name, service.settings)
    container = open_container(service, settings)
    topics = (settings.topic(service.name), settings.topic("keys"))
    source = f"/linli/{settings.city}/{service.name}"
    publisher = Publisher(settings.kafka)
    relay = Relay(container.mongo, publisher, service.entities, source, topics, settings.history_cap)
    lease = Lease(container.mongo, "relay-second", f"{name}-second", settings.lease_seconds)
    await relay.run(lease, container.changes)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
