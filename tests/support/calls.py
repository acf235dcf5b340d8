"""Counts the commands that a container sends to its database, by the driver's own command monitoring."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from pymongo import monitoring

from services.chassis.runtime import service as services
from services.chassis.runtime.service import Service
from services.chassis.usecase import Container
from tests.support.world import World


class Calls(monitoring.CommandListener):
    """Listens to every client that is opened after it was registered, and counts while it is asked to."""

    def __init__(self) -> None:
        self._counted: Counter[str] | None = None

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """The commands that are sent meanwhile, by name."""
        self._counted = counted = Counter[str]()
        try:
            yield counted
        finally:
            self._counted = None

    def started(self, event: Any) -> None:
        """A command is sent."""
        if self._counted is not None and event.database_name != "admin":
            self._counted[event.command_name] += 1

    def succeeded(self, event: Any) -> None:
        """Counted when it was sent."""

    def failed(self, event: Any) -> None:
        """Counted when it was sent."""


CALLS = Calls()
monitoring.register(CALLS)


@asynccontextmanager
async def heard(world: World, service: Service) -> AsyncIterator[Container]:
    """A container whose commands are counted, on the database that the service has in this world."""
    container = services.open_container(service, world.settings())
    try:
        yield container
    finally:
        await container.mongo.close()
