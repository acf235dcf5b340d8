"""A worker process: relay, consumer, keys and timers, with an orderly stop."""

import asyncio
import signal
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any

import uvloop
from fastapi import FastAPI

from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import ConsumerControl
from services.chassis.messaging.kafka import KEYS_TOPIC, Publisher, Reader, confirmed_by
from services.chassis.messaging.keys import KeyKeeper
from services.chassis.messaging.relay import Relay
from services.chassis.messaging.retry import retry_forever
from services.chassis.messaging.switching import register
from services.chassis.runtime import health
from services.chassis.runtime.service import (
    NO_TELEMETRY,
    VERSION,
    Service,
    database_check,
    for_ever,
    index_check,
    open_container,
    server,
)
from services.chassis.runtime.settings import Settings
from services.chassis.schedule.scheduler import Scheduler
from services.chassis.storage.leases import Lease
from services.chassis.storage.search import forget
from services.chassis.telemetry import logs, metrics, tracing

log = logs.get()

_DRAIN_SECONDS = 15  # longer than any timer's call to the outside
_LEAVE_SECONDS = 3  # for each of the three steps after that, so that a stop takes at most 25 s


class Worker:
    """Everything that one worker of a service runs."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._container = open_container(service, settings)
        self._publisher = Publisher(settings.kafka)
        self._member = f"{service.name}-{settings.slot}"
        self._leases: list[Lease] = []
        self._readers: list[Reader] = []
        self._consumer: Consumer | None = None
        self._scheduler: Scheduler | None = None
        self._web = server(self._health(), settings)

    def stop(self, *_: object) -> None:
        """Begin the orderly stop."""
        self._web.should_exit = True

    async def run(self) -> None:
        """Run until asked to stop, or until a part fails for good: then the process ends and is restarted."""
        loops = [asyncio.create_task(loop, name=name) for name, loop in self._loops().items()]
        serving = asyncio.create_task(self._web.serve())
        try:
            done, _ = await asyncio.wait([serving, *loops], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            await self._stop(loops)
            await serving
        for task in done - {serving}:
            log.error("a part of the worker failed", part=task.get_name(), exc_info=task.exception())
            raise SystemExit(1)

    def _loops(self) -> dict[str, Any]:
        container, settings, name = self._container, self._settings, self._service.name
        source = settings.source(name)
        topics = (settings.topic(name), settings.topic(KEYS_TOPIC) if self._service.sends_keys else None)
        relay = Relay(
            container.mongo,
            self._publisher,
            self._service.entities,
            source,
            topics,
            settings.history_cap,
            self._service.linger_seconds,
            mints_keys=self._service.mints_keys,
        )
        loops: dict[str, Any] = {"relay": relay.run(self._lease("relay"), container.changes)}
        if self._service.timers or self._service.periodic:
            lease = self._lease("timers")
            self._scheduler = Scheduler(self._service.timers, self._service.periodic, container, lease)
            loops["timers"] = self._scheduler.run()
        if self._service.all_reactions:
            loops["consumer"] = self._consume()
        if not self._service.mints_keys:
            loops["keys"] = self._keep_keys()
        if self._service.reference:
            loops["reference"] = self._hold_reference()
        loops |= {loop.__name__: for_ever(loop, container) for loop in self._service.loops}
        return loops

    async def _consume(self) -> None:
        group = self._settings.group(self._service.name)
        confirmed = await retry_forever(partial(confirmed_by, self._settings.kafka, group))
        reactions, mongo = self._service.all_reactions, self._container.mongo
        await retry_forever(partial(register, mongo, group, reactions, confirmed))
        topics = [self._settings.topic(name) for name in self._service.listens_to]
        reader = await self._reader(topics, group)
        control = ConsumerControl(mongo, group, self._member)
        self._consumer = Consumer(self._container, reader, reactions, control, self._settings.most_failures)
        await self._consumer.run()

    async def _hold_reference(self) -> None:
        async with self._container.reference.held(self._container.changes):
            await asyncio.Event().wait()

    async def _keep_keys(self) -> None:
        reader = await self._reader(
            [self._settings.topic(KEYS_TOPIC)], f"{self._settings.topic_prefix}.{self._service.name}.keys"
        )
        forgetting = partial(forget, self._container.mongo, self._service.entities)
        await KeyKeeper(self._container.vault, reader, self._service.with_own_keys, forgetting).run()

    async def _reader(self, topics: list[str], group: str) -> Reader:
        async def joined() -> Reader:
            reader = Reader(self._settings.kafka, topics, group, self._member)
            await reader.start()
            return reader

        reader = await retry_forever(joined)
        self._readers.append(reader)
        return reader

    def _lease(self, name: str) -> Lease:
        lease = Lease(self._container.mongo, name, self._member, self._settings.lease_seconds)
        self._leases.append(lease)
        return lease

    def _health(self) -> FastAPI:
        title = f"Linli {self._service.name} worker"
        app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
        checks = {"database": database_check(self._container), "indexes": index_check(self._container, self._service)}
        if self._service.all_reactions:
            checks["consumer"] = self._consumer_check
        health.install(app, checks, self._reactions_off)
        return app

    async def _reactions_off(self) -> str | None:
        off = self._consumer.off() if self._consumer is not None else {}
        return "; ".join(f"{name} is {why}" for name, why in off.items()) or None

    async def _consumer_check(self) -> str | None:
        if self._consumer is None:
            return "the broker has not been reached yet"
        if reason := self._consumer.stopped():
            return f"the consumer has stopped: {reason}. Fix it, then run `linli consumer resume {self._service.name}`"
        return None if self._consumer.ready() else "no partition has been assigned to this worker yet"

    async def _stop(self, loops: list["asyncio.Task[None]"]) -> None:
        """Finish the current batch and timers, send pending events, release leases, leave the groups."""
        parts = {"timers": self._scheduler, "consumer": self._consumer}
        # A part that is None has not started yet.
        finishing = {name: part for name, part in parts.items() if part is not None}
        for part in finishing.values():
            part.finish()
        if ending := [task for task in loops if task.get_name() in finishing]:
            await asyncio.wait(ending, timeout=_DRAIN_SECONDS)
        for task in loops:
            task.cancel()
        await _shortly(*loops)
        readers = (reader.stop() for reader in self._readers)
        await _shortly(self._publisher.stop(), asyncio.to_thread(tracing.flush), *readers)
        await _shortly(*(lease.release() for lease in self._leases))  # if that fails, the leases expire
        await self._container.mongo.close()


def run(service: Service, settings: Settings) -> None:
    """Run a worker until SIGTERM."""
    logs.start(service.name, "worker", settings.log_level)
    logs.started(VERSION)
    tracing.export_to(settings.otlp, service.name, "worker")
    metrics.build_info.labels(service.name, "worker", VERSION).set(1)
    worker = Worker(service, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        # While it serves, uvicorn handles these signals and raises them again afterwards: by default that would end the
        # process before our own stop.
        signal.signal(number, worker.stop)
    uvloop.run(worker.run())


async def _shortly(*work: Awaitable[Any]) -> None:
    """Await all of them, whatever their outcome, but only as long as a stop may take."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            await asyncio.gather(*work, return_exceptions=True)
