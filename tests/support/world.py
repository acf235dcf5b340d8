"""The world that tests run in: one real broker, three real databases, and as many services on them as a test wants."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.http.signing import Signer, key_set
from services.chassis.messaging.retry import retry_forever
from services.chassis.runtime import service as services
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.chassis.storage import migrations
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Container

NAMES = ("members", "requests", "notify")

Stores = tuple[str, Mapping[str, str]]
"""The brokers, and the MongoDB URI of each service."""


@dataclass
class World:
    """A corner of the running stack that nobody else uses: own databases, own topics, own secrets."""

    kafka: str
    uris: Mapping[str, str]
    folder: Path
    city_data: Path
    name: str = field(default_factory=lambda: f"t{secrets.token_hex(5)}")
    overrides: dict[str, Any] = field(default_factory=dict)
    _settings: dict[str, Settings] = field(default_factory=dict, init=False, repr=False, compare=False)

    def settings(self, **overrides: Any) -> Settings:
        """Settings for any process of this world."""
        given: dict[str, Any] = {
            "city_data": self.city_data,
            "kafka": self.kafka,
            "allow_open_stores": True,
            "topic_prefix": self.name,
            "mongo": {name: self._uri(name) for name in NAMES},
            "port": 0,
            "master_key_file": self._master_key(),
            "token_keys": self._token_keys(),
            "jwks": str(self._jwks()),
            "sms_spool": self.folder / "sms",
            "history_cap": 5,
            "max_in_flight": 256,  # a test of a race needs all answers
            **self.overrides,
            **overrides,
        }
        known = repr(sorted(given.items()))
        if known not in self._settings:  # each new one looks through the whole environment
            self._settings[known] = Settings(**given)
        return self._settings[known]

    async def container(self, service: Service, **overrides: Any) -> Container:
        """A house on an empty, migrated database; its topics are not made."""
        container = services.open_container(service, self.settings(**overrides))
        await migrations.build(container.mongo, service.kinds)
        return container

    def app(self, service: Service, **overrides: Any) -> FastAPI:
        """The web application of a service."""
        return services.web_app(service, self.settings(**overrides))

    def token(self, actor: Actor, life: timedelta = timedelta(minutes=15)) -> str:
        """A token that the services of this world take."""
        return Signer(self._token_keys(), "linli", "linli").sign(actor, now(), life)

    def client(self, app: FastAPI, actor: Actor | None = None) -> httpx.AsyncClient:
        """A client of an application, signed in as ``actor`` where one is given."""
        headers = {"Authorization": f"Bearer {self.token(actor)}"} if actor else {}
        transport = httpx.ASGITransport(app=app)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers, timeout=30)

    def database(self, name: str) -> str:
        """The name of a service's database."""
        return f"{self.name}_{name}"

    def _uri(self, name: str) -> str:
        parts = urlsplit(self.uris[name])
        return urlunsplit(parts._replace(path=f"/{self.database(name)}"))

    def _master_key(self) -> Path:
        file = self.folder / "master.key"
        if not file.exists():
            file.write_text(secrets.token_hex(32))
        return file

    def _token_keys(self) -> Path:
        folder = self.folder / "token-keys"
        if not folder.exists():
            folder.mkdir()
            make_signing_key(folder / "0001.pem")
        return folder

    def _jwks(self) -> Path:
        file = self.folder / "jwks.json"
        if not file.exists():
            file.write_text(json.dumps(key_set(self._token_keys())))
        return file


@dataclass(frozen=True)
class Snapshot:
    """All that a house has stored at one time, for the next test to begin with."""

    container: Container
    documents: Mapping[str, list[Document]]

    @classmethod
    async def of(cls, container: Container) -> "Snapshot":
        """What is stored now."""
        stored = dict[str, list[Document]]()
        for name in await collections(container):
            stored[name] = [one async for some in container.mongo.each(name, {}) for one in some]
        return cls(container, stored)

    async def restore(self) -> None:
        """Let this be stored again and nothing else; indexes stay, and what an application remembers.

        However long the database takes: it may be busy with what other tests have left to it.
        """
        await retry_forever(self._restore)

    async def _restore(self) -> None:
        for name in await collections(self.container):
            # Not waited for: the inserts after it are, and the log keeps their order.
            deleting = [{"q": {}, "limit": 0}]
            await self.container.mongo.command("delete", name, deletes=deleting, writeConcern={"w": 1})
        for name, documents in self.documents.items():
            if documents:
                await self.container.mongo.command("insert", name, documents=documents)


async def collections(container: Container) -> list[str]:
    """The names of all collections of a house."""
    listed = await container.mongo.command("listCollections", nameOnly=True)
    return [one["name"] for one in listed["cursor"]["firstBatch"]]


def make_signing_key(file: Path) -> None:
    """A new Ed25519 private key in PEM."""

    key = Ed25519PrivateKey.generate()
    file.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))


def keyed(**more: str) -> dict[str, str]:
    """Headers with a new Idempotency-Key."""
    return {"Idempotency-Key": secrets.token_hex(8), **more}
