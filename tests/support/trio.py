"""All three services in one process, with their workers, on a clock that a test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.messaging.kafka import KEYS_TOPIC, create_topics
from services.chassis.runtime import service as services
from services.chassis.runtime.service import Service
from services.chassis.runtime.worker import Worker
from services.chassis.schedule.timers import sweep
from services.chassis.usecase import Container
from services.members.app import service as members
from services.notify.app import service as notify
from services.requests.app import service as requests
from tests.support.world import World, keyed

T = TypeVar("T")
Somebody = Actor
"""Who acts in a journey, which knows nothing of ours."""
TRIO = (members, requests, notify)
_NEVER_LOOKS = 1000


@dataclass
class Clock:
    """The clock of all services."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The real time and what was added."""
        return now() + self.ahead

    def set(self, at: datetime) -> None:
        """Let it be this instant."""
        self.ahead = at - now()

    def forward(self, by: timedelta) -> None:
        """Let this time pass."""
        self.ahead += by


@dataclass
class Trio:
    """The running services, each with its application and the container of its worker."""

    world: World
    clock: Clock
    apps: dict[str, FastAPI] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)

    async def ask(self, service: str, method: str, path: str, actor: Actor | None, body: Any = None) -> httpx.Response:
        """One request, with a key of its own."""
        async with self.world.client(self.apps[service], actor) as client:
            return await client.request(method, path, json=body, headers=keyed())

    async def done(self, service: str, method: str, path: str, actor: Actor | None, body: Any = None) -> dict[str, Any]:
        """The body of an answer that must be a yes, as soon as the service knows what it is about."""

        async def answered() -> httpx.Response | None:
            answer = await self.ask(service, method, path, actor, body)
            return answer if answer.is_success else None

        found: dict[str, Any] = (await self.wait(answered, f"{method} {path}")).json()
        return found

    async def tick(self, service: str, timer: str) -> None:
        """Let a timer of this name do what is due by now."""
        known = {one.name: one for trio in TRIO for one in trio.timers if trio.name == service}
        await sweep(known[timer], self.containers[service])

    async def wait(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """The first result that is something."""
        for _ in range(_NEVER_LOOKS):
            if found := await look():
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited in vain for {what}")


@asynccontextmanager
async def trio(world: World) -> AsyncIterator[Trio]:
    """The three services, from their start to their end."""
    running = Trio(world, Clock())
    settings = world.settings()
    names = [one.name for one in TRIO]
    await create_topics(world.kafka, {name: settings.topic(name) for name in (*names, KEYS_TOPIC)}, 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(services, "now", running.clock.now)  # a container takes its clock when it is opened
        async with AsyncExitStack() as stack:
            for service in TRIO:
                await stack.enter_async_context(_one(running, service))
            yield running


@asynccontextmanager
async def _one(running: Trio, service: Service) -> AsyncIterator[None]:
    container = await running.world.container(service)
    await container.mongo.close()  # it was there to build the indexes
    worker, app = Worker(service, running.world.settings()), running.world.app(service)
    running.apps[service.name], running.containers[service.name] = app, worker._container
    loops = [asyncio.create_task(loop, name=name) for name, loop in worker._loops().items()]
    try:
        async with app.router.lifespan_context(app):
            yield
    finally:
        await worker._stop(loops)
