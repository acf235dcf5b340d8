"""Every setting of a process, read once from the environment into one frozen object."""

from pathlib import Path
from typing import Literal

from pydantic import Field, FilePath, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_TOGETHER = {"sms_secret_file": "sms_url", "smtp_password_file": "smtp_user"}

ServiceName = Literal["members", "requests", "notify"]


class SettingsMissing(Exception):
    """Settings are missing or wrong; the text names all of them at once."""


class Settings(BaseSettings):
    """What a process needs to know of the world around it; names are LINLI_ and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="LINLI_", frozen=True, extra="ignore")

    city: str = Field("hulunbuir", description="the name of the city, part of every event and of every seal")
    city_data: Path = Field(description="the folder with the city's data (areas, catalogue, holidays)")

    mongo_members: str | None = Field(
        None, description="MongoDB URI, with database name, of members; needed by members only"
    )
    mongo_requests: str | None = Field(
        None, description="MongoDB URI, with database name, of requests; needed by requests only"
    )
    mongo_notify: str | None = Field(
        None, description="MongoDB URI, with database name, of notify; needed by notify only"
    )
    mongo_driver: Literal["motor", "pymongo"] = Field("motor", description="motor, or pymongo for PyMongo Async")
    kafka: str = Field(description="the brokers, host:port separated by commas")
    topic_prefix: str = Field("linli", description="how the names of the topics begin")
    topic_replicas: int = Field(1, ge=1, description="copies of each topic; 3 in a city")

    host: str = Field("127.0.0.1", description="the address on which this process listens")
    port: int = Field(ge=0, le=65535, description="the port on which this process listens")
    slot: int = Field(0, ge=0, description="the number of this worker among those of its service")
    max_in_flight: int = Field(
        10,
        ge=1,
        description="requests worked on at once; others wait for 0.2 s at most, then 503 with Retry-After",
    )

    master_key_file: Path = Field(description="a file with the city's master key, 64 hexadecimal characters")
    token_keys: Path | None = Field(
        None, description="the folder of Ed25519 keys (*.pem) that sign tokens; members only"
    )
    jwks: str = Field(description="a file or an address with the public keys of the token issuer")
    issuer: str = Field("linli", description="the issuer that tokens must name")
    audience: str = Field("linli", description="the audience that tokens must name")

    sms_spool: Path | None = Field(None, description="a folder that receives text messages instead of a provider")
    sms_url: str | None = Field(None, description="the address of the SMS provider's signed HTTP interface")
    sms_secret_file: FilePath | None = Field(
        None, description="a file with the secret that signs calls to the SMS provider", validate_default=True
    )
    smtp: str | None = Field(None, description="host:port of the mail server; no mail is sent without it")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the mail server is spoken to: starttls and tls do not go on without encryption"
    )
    smtp_user: str | None = Field(None, description="the name to give to the mail server, where it wants one")
    smtp_password_file: FilePath | None = Field(
        None, description="a file with the password for the mail server", validate_default=True
    )
    mail_from: str = Field("linli@localhost", description="the sender of mail")

    history_cap: int = Field(100, ge=4, description="events kept in a document before the oldest half is archived")
    most_failures: int = Field(
        20, ge=1, description="events in a row on which a reaction may fail before it is turned off"
    )
    lease_seconds: float = Field(10, gt=0, description="how long a lease lasts without renewal, in seconds")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged")
    otlp: str | None = Field(None, description="the OTLP/HTTP address for traces; none are sent without it")

    @field_validator("sms_secret_file", "smtp_password_file")
    @classmethod
    def _with_what_it_belongs_to(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        other = _TOGETHER[info.field_name or ""]
        if (file is None) != (info.data.get(other) is None):
            raise ValueError(f"set it and LINLI_{other.upper()}, or neither")
        return file

    def mongo(self, service: ServiceName) -> str:
        """The MongoDB URI of one service; SettingsMissing in a process that is not to reach that database."""
        uris = {"members": self.mongo_members, "requests": self.mongo_requests, "notify": self.mongo_notify}
        if uri := uris[service]:
            return uri
        raise SettingsMissing(f"LINLI_MONGO_{service.upper()}: Field required")

    def topic(self, name: str) -> str:
        """The full name of a topic, such as ``linli.requests.v1``."""
        return f"{self.topic_prefix}.{name}.v1"

    def source(self, service: ServiceName) -> str:
        """What the events of a service name as their source, such as ``/linli/hulunbuir/requests``."""
        return f"/linli/{self.city}/{service}"

    def group(self, service: ServiceName) -> str:
        """The consumer group of a service, such as ``linli.requests``."""
        return f"{self.topic_prefix}.{service}"


def load() -> Settings:
    """Settings from the environment; SettingsMissing names everything that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(_problem(e["loc"], e["msg"]) for e in error.errors())
        raise SettingsMissing(problems) from None


def _problem(place: tuple[int | str, ...], told: str) -> str:
    return f"LINLI_{'_'.join(map(str, place)).upper()}: {told.removeprefix('Value error, ')}"
