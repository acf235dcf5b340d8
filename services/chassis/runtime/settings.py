"""The settings of every process, read once from the environment; a sub-domain declares its own in its settings.py."""

import os
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from services.chassis.domain.account import Account

PREFIX = "LINLI_"

Own = TypeVar("Own", bound=BaseSettings)
Kinds = Sequence[type[BaseSettings]]


class Holds(Enum):
    """What a file or folder that a setting names holds, for the doctor: ``Annotated[Path, Holds.PRIVATE]``."""

    PRIVATE = "a secret, which only its owner may read"
    SIGNING_KEYS = "Ed25519 keys (*.pem) that sign tokens"


class SettingsMissing(Exception):
    """Settings are missing or wrong; the text names all of them."""


class OwnSettings(BaseSettings):
    """What a sub-domain declares for itself, in ``settings.py``; names are LINLI_ and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")


class Settings(BaseSettings):
    """What every process needs; names are LINLI_ and the field in capitals."""

    # Of LINLI_MONGO_CITIES only the first "_" separates: mongo["cities"]. What is given to the constructor and is no
    # field is kept for the settings of sub-domains.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="allow", env_nested_delimiter="_", env_nested_max_split=1
    )

    city: str = Field("hulunbuir", description="the name of the city, part of every event and of every seal")
    city_data: Path = Field(description="the folder with the city's data (areas, catalogue, holidays)")

    mongo: dict[str, str] = Field(
        default_factory=dict,
        description="MongoDB URI, with database name; each process needs that of its own service only",
    )
    mongo_password_file: Annotated[Path | None, Holds.PRIVATE] = Field(
        None,
        description="a file with the password of its account at MongoDB; the URI names the account, if it is not named "
        "after the service",
    )
    allow_open_stores: bool = Field(
        False,
        description="whether stores are used that ask nobody to sign in: for tests only. Whoever reaches such a store "
        "reads and writes everything",
    )
    mongo_driver: Literal["motor", "pymongo"] = Field("motor", description="motor, or pymongo for PyMongo Async")
    sharded: str | None = Field(
        None,
        description="the collections that are sharded, separated by commas: no unique index spans their shards, so "
        "what must be unique is claimed by a write of its own",
    )
    kafka: str = Field(description="the brokers, host:port separated by commas")
    topic_prefix: str = Field("linli", description="the prefix of the names of the topics")
    topic_replicas: int = Field(1, ge=1, description="copies of each topic; 3 in a city")

    host: str = Field("127.0.0.1", description="the address on which this process listens")
    port: int = Field(ge=0, le=65535, description="the port on which this process listens")
    slot: int = Field(0, ge=0, description="the number of this worker among those of its service")
    max_in_flight: int = Field(
        10,
        ge=1,
        description="requests handled at once; others wait in a queue, then 503 with Retry-After",
    )
    max_wait_seconds: float = Field(
        1.0,
        ge=0,
        le=2,
        description="how long a request waits in the queue at most, in seconds; 0.2 while the process sheds load",
    )

    cors_origins: str | None = Field(
        None,
        description="the origins (https://city.example) whose pages may call the API from a browser, separated by "
        "commas; none without it. What the gateway refuses itself (401, 413, 429), such a page cannot read",
    )

    master_key_file: Annotated[Path, Holds.PRIVATE] = Field(
        description="a file with the city's master key, 64 hexadecimal characters"
    )
    jwks: str = Field(description="a file or an address with the public keys of the token issuer")
    issuer: str = Field("linli", description="the issuer that tokens must name")
    audience: str = Field("linli", description="the audience that tokens must name")

    history_cap: int = Field(100, ge=4, description="events kept in a document before the oldest half is archived")
    most_failures: int = Field(
        20, ge=1, description="events in a row on which a reaction may fail before it is turned off"
    )
    lease_seconds: float = Field(10, gt=0, description="how long a lease lasts without renewal, in seconds")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged")
    otlp: str | None = Field(None, description="the OTLP/HTTP address for traces; none are sent without it")

    @property
    def sharded_collections(self) -> frozenset[str]:
        """The collections that ``sharded`` names."""
        return frozenset(_listed(self.sharded))

    @property
    def origins(self) -> list[str]:
        """The origins that ``cors_origins`` names."""
        return [origin.rstrip("/") for origin in _listed(self.cors_origins)]

    def database(self, service: str) -> str:
        """The MongoDB URI of one service; SettingsMissing in a process that must not reach that database."""
        if uri := self.mongo.get(service):
            return uri
        raise SettingsMissing(f"{mongo_setting(service)}: Field required")

    def mongo_account(self, service: str) -> Account | None:
        """The account at the database of one service; None if no file holds its password. SettingsMissing if that
        cannot be read."""
        return _account(urlsplit(self.database(service)).username or service, self.mongo_password_file)

    def of(self, kind: type[Own]) -> Own:
        """The settings that a sub-domain declares; ValidationError where they are missing or wrong."""
        return kind(**(self.model_extra or {}))

    def topic(self, name: str) -> str:
        """The full name of a topic, such as ``linli.requests.v1``."""
        return f"{self.topic_prefix}.{name}.v1"

    def source(self, service: str) -> str:
        """The source of a service's events, such as ``/linli/hulunbuir/requests``."""
        return f"/linli/{self.city}/{service}"

    def group(self, service: str) -> str:
        """The consumer group of a service, such as ``linli.requests``."""
        return f"{self.topic_prefix}.{service}"


def _account(name: str, file: Path | None) -> Account | None:
    try:
        return None if file is None else Account.read(name, file)
    except OSError as error:
        raise SettingsMissing(f"{file} cannot be read ({error.strerror})") from None


def _listed(text: str | None) -> list[str]:
    return [*filter(None, map(str.strip, (text or "").split(",")))]


def mongo_setting(service: str) -> str:
    """The name of the setting with the MongoDB URI of a service."""
    return f"{PREFIX}MONGO_{service.upper()}"


def load(service: str, own: Kinds = ()) -> Settings:
    """The settings of a process of a service; SettingsMissing names all that is missing or wrong.

    ``own``: the settings that the service's sub-domains declare; checked too.
    """
    kinds: Kinds = (Settings, *own)
    problems = [problem for kind in kinds for problem in _problems(kind)]
    if not os.environ.get(mongo_setting(service)):
        problems.append(f"{mongo_setting(service)}: Field required")
    if problems:
        raise SettingsMissing("; ".join(problems))
    settings = Settings()
    if lacking := list(_without_account(settings, service)):
        raise SettingsMissing("; ".join(lacking))
    return settings


def _without_account(settings: Settings, service: str) -> Iterator[str]:
    """The stores at which a process of a service would not sign in, although it has to."""
    if settings.allow_open_stores:
        return
    advice = "name the password of its account, or set LINLI_ALLOW_OPEN_STORES=true, for tests only"
    if settings.mongo_password_file is None and urlsplit(settings.database(service)).password is None:
        yield f"LINLI_MONGO_PASSWORD_FILE: {service} does not sign in at MongoDB: {advice}"


def names(own: Kinds = ()) -> list[str]:
    """The names of all settings of a process, but for those of databases."""
    kinds: Kinds = (Settings, *own)
    return [f"{PREFIX}{name.upper()}" for kind in kinds for name in kind.model_fields if name != "mongo"]


def files(settings: Iterable[BaseSettings], what: Holds) -> list[Path]:
    """The files or folders that are set and declared to hold this."""
    found = [getattr(one, n) for one in settings for n, f in type(one).model_fields.items() if what in f.metadata]
    return [file for file in found if file is not None]


def _problems(kind: type[BaseSettings]) -> list[str]:
    try:
        kind()
    except ValidationError as error:
        return [_problem(e["loc"], e["msg"]) for e in error.errors()]
    except SettingsError as error:
        return [str(error)]
    return []


def _problem(place: tuple[int | str, ...], said: str) -> str:
    return f"{PREFIX}{'_'.join(map(str, place)).upper()}: {said.removeprefix('Value error, ')}"
