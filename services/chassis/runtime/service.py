"""A service as its ``app.py`` declares it, and how its processes start and stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import socket
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from pydantic_settings import BaseSettings

from services.chassis.domain.checks import CheckResult
from services.chassis.domain.entity import Copy, Entity, Stored
from services.chassis.domain.values import now
from services.chassis.http import problems
from services.chassis.http.admission import AdmissionControl
from services.chassis.http.auth import Tokens
from services.chassis.http.connections import KEEP_ALIVE_SECONDS, Connection
from services.chassis.http.routes import Routes
from services.chassis.messaging.kafka import KEYS_TOPIC, create_topics
from services.chassis.messaging.reactions import AnyReaction, Copying
from services.chassis.runtime import health
from services.chassis.runtime.settings import Settings
from services.chassis.runtime.texts import load
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.storage import migrations
from services.chassis.storage.audit import Audit
from services.chassis.storage.change_notifier import ChangeNotifier
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import connect
from services.chassis.storage.reference import Reference
from services.chassis.storage.revocations import BELOW as TOKENS_BELOW
from services.chassis.storage.revocations import COLLECTION as REVOCATIONS
from services.chassis.storage.revocations import FIELD as TOKENS_UNTIL
from services.chassis.storage.revocations import Revocations, Source
from services.chassis.storage.vault import Vault
from services.chassis.telemetry import logs, metrics, tracing
from services.chassis.usecase import Container

VERSION = "0.1.0"
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""The framework's telemetry would export query strings and invalid input: personal data. Ours is in tracing.py."""

Loop = Callable[[Container], Awaitable[None]]
Check = Callable[[Container], Awaitable[Sequence[CheckResult]]]
"""A check of a promise of the service's own, up to a cut; the ledger runs it."""


@dataclass(frozen=True)
class Service:
    """All parts of a service; the web process serves its routes, the worker does the rest."""

    name: str
    """Also that of its topic, of its consumer group and of the setting with its database."""
    entities: tuple[type[Entity[Any]], ...]
    copies: tuple[type[Copy[Any]], ...] = ()
    routes: tuple[Routes, ...] = ()
    reactions: tuple[AnyReaction, ...] = ()
    timers: tuple[Timer, ...] = ()
    listens_to: tuple[str, ...] = ()
    mints_keys: bool = False
    """Whether it mints the ids of people, and with them their keys: the other services keep copies."""
    linger_seconds: float = 0.008
    """How long its relay lingers after sending, in seconds; longer if nobody waits for its events."""
    settings: tuple[type[BaseSettings], ...] = ()
    """What its sub-domains declare; given to ``dependencies`` with ``settings.of(...)``."""
    dependencies: Callable[[Settings], Mapping[type, Any]] = field(default=lambda _: {})
    texts: tuple[str, ...] = ()
    """What it says to people, besides the chassis' own texts: tables of a catalogue, as ``<package>.<table>``."""
    reference: tuple[type[Stored], ...] = ()
    """What changes seldom and is asked for often: its processes hold it."""
    signed_in: tuple[type[Entity[Any]], ...] = ()
    """What of its own a token is for, such as a session: ``tokens_until`` says until when its tokens are refused, and
    ``tokens_below``, where it has that, which of them: those with a lower number."""
    loops: tuple[Loop, ...] = ()
    """What each of its processes does all the time, besides what it is there for."""
    web_loops: tuple[Loop, ...] = ()
    periodic: tuple[Periodic, ...] = ()
    """What one worker does again and again, besides timers."""
    checks: tuple[Check, ...] = ()

    @property
    def kinds(self) -> tuple[type[Stored], ...]:
        """Everything it stores."""
        return (*self.entities, *self.copies)

    @property
    def with_own_keys(self) -> tuple[type[Entity[Any]], ...]:
        """The kinds of which each entity has a key of its own."""
        return tuple(kind for kind in self.entities if kind.own_key)

    @property
    def sends_keys(self) -> bool:
        """Whether it makes keys that others need."""
        return self.mints_keys or bool(self.with_own_keys)

    @property
    def revocations(self) -> tuple[Source, ...]:
        """Where it finds whose tokens are refused: of its own, or as it has heard from the service that owns them."""
        own = (_source(kind) for kind in self.signed_in)
        return tuple(own) or (Source(REVOCATIONS, TOKENS_UNTIL, TOKENS_BELOW),)

    @property
    def all_reactions(self) -> tuple[AnyReaction, ...]:
        """Copies first: other reactions may need them."""
        return (*(Copying(kind) for kind in self.copies), *self.reactions)


def _source(kind: type[Entity[Any]]) -> Source:
    below = kind.stored_name(TOKENS_BELOW) if TOKENS_BELOW in kind.model_fields else None
    return Source(kind.collection(), kind.stored_name(TOKENS_UNTIL), below)


def open_container(service: Service, settings: Settings) -> Container:
    """What the use cases of a process work with; connections open on first use."""
    mongo = connect(settings.database(service.name), settings.mongo_driver, settings.mongo_account(service.name))
    vault = Vault(mongo, MasterKey.read(settings.master_key_file, settings.city))
    texts = load(service.texts, settings.city_data)
    known = service.dependencies(settings)
    changes, reference = ChangeNotifier(mongo), Reference(mongo, service.reference)
    sharded = settings.sharded_collections
    revocations = Revocations(mongo, service.revocations, now)
    return Container(
        service.name, settings.city, mongo, vault, now, known, texts, changes, reference, revocations, sharded
    )


async def migrate(service: Service, settings: Settings) -> list[str]:
    """Build missing indexes and topics; returns the topics whose configuration differs from ours."""
    container = open_container(service, settings)
    try:
        await migrations.build(container.mongo, service.kinds, container.sharded)
        names = {short: settings.topic(short) for short in (service.name, KEYS_TOPIC)}
        return await create_topics(settings.kafka, names, settings.topic_replicas)
    finally:
        await container.mongo.close()


def web_app(service: Service, settings: Settings) -> FastAPI:
    """The application that answers requests."""
    logs.start(service.name, "web", settings.log_level)
    tracing.export_to(settings.otlp, service.name, "web")
    container = open_container(service, settings)
    audit = Audit(container.mongo, container.vault.master, f"{service.name}-web-{settings.slot}")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        logs.started(VERSION)
        loops = (*service.loops, *service.web_loops, _revocations)
        tasks = [asyncio.create_task(for_ever(loop, container)) for loop in loops]
        async with container.reference.held(container.changes):
            yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await audit.close()
        await container.mongo.close()
        tracing.flush()

    app = FastAPI(
        title=f"Linli {service.name}",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the address would be made of what the client says in Host
        telemetry=NO_TELEMETRY,
    )
    problems.install(app, container.texts)
    tokens = Tokens(settings.jwks, settings.issuer, settings.audience, container.revocations)
    for routes in service.routes:
        routes.install(app, container, tokens, audit)
    checks = {"database": database_check(container), "indexes": index_check(container, service)}
    health.install(app, {**checks, "revocations": container.revocations.expect_read})
    app.add_middleware(AdmissionControl, max_in_flight=settings.max_in_flight, max_wait=settings.max_wait_seconds)
    if settings.origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins, **_CROSS_ORIGIN)
    metrics.build_info.labels(service.name, "web", VERSION).set(1)
    return app


_CROSS_ORIGIN: Mapping[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "allow_headers": [
        "Accept-Language",
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "Last-Event-ID",
    ],
    "expose_headers": ["ETag", "Location", "Retry-After"],
    "max_age": 600,
}
"""What a page of another origin may send and read (Fetch standard); no cookies, the API takes none."""


class _Server(uvicorn.Server):
    """A server that tells its application first: otherwise an open stream would delay the stop until its time-out."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the streams, then stop as usual."""
        self.config.app.state.closing.set()  # type: ignore[union-attr]  # ``server`` only takes a FastAPI
        await super().shutdown(sockets)


def server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """The HTTP server of a process; it stops within 20 s of SIGTERM."""
    app.state.closing = asyncio.Event()
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        http=Connection,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=20,
    )
    return _Server(config)


def database_check(container: Container) -> health.Check:
    """Whether the database answers."""

    async def check() -> None:
        await container.mongo.command("ping")

    return check


def index_check(container: Container, service: Service) -> health.Check:
    """Whether ``migrate`` has run; asks until it has."""
    complete: list[bool] = []

    async def check() -> str | None:
        if complete:
            return None
        lacking = await migrations.missing(container.mongo, service.kinds, container.sharded)
        if lacking:
            return f"run `linli migrate`: {', '.join(lacking[:5])} missing"
        complete.append(True)
        return None

    return check


async def _revocations(container: Container) -> None:
    await container.revocations.follow()


async def for_ever(loop: Loop, container: Container) -> None:
    """Run a background loop, and restart it after a failure."""
    while True:
        try:
            await loop(container)
        except Exception:
            logs.get().exception("a background loop failed and starts again")
            await asyncio.sleep(1)
