"""Events: what happened, and the envelope in which an entity's history keeps it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

import orjson
from pydantic import BaseModel, ConfigDict

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Private

MAX_BYTES = 64 * 1024
"""An event is at most this long: near the broker's own limit it would stop the relay for ever."""
_UNTIL_DEPLOYED = 30  # seconds


class EventTooLarge(Refusal):
    kind = Kind.TOO_LARGE


class SchemaTooNew(Refusal):
    kind = Kind.OUTDATED


class Event(BaseModel):
    """A fact, in the past tense: flat, with ids and facts; personal data only ``Sealed``.

    Fields are only ever added, and optional. One that has to be split or recast gets the event the next
    ``schema_version``, and its older shapes a place in ``upcast``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    schema_version: ClassVar[int] = 1
    private: ClassVar[bool] = False
    private_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.private_fields = frozenset(n for n, f in cls.model_fields.items() if Private in f.metadata)

    @classmethod
    def type_name(cls) -> str:
        """The name on the wire, such as ``linli.requests.CaseFiled``."""
        return f"linli.{_service_of(cls.__module__)}.{cls.__name__}"

    @classmethod
    def upcast(cls, schema: int, data: dict[str, Any]) -> dict[str, Any]:
        """What was recorded in the older shape ``schema``, as today's fields; a class with such shapes says how."""
        return data

    @classmethod
    def parse_upcast(cls, schema: int, data: dict[str, Any]) -> Self:
        """The event from fields of any shape up to today's: every history and every record is read through here.

        SchemaTooNew, or ValidationError where the fields are wrong.
        """
        if schema > cls.schema_version:
            raise too_new(cls.type_name(), schema, cls.schema_version)
        return cls.model_validate(data if schema == cls.schema_version else cls.upcast(schema, data))

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(what is published, what stays in the history), both as JSON values."""
        data = self.model_dump(mode="json")
        if self.private:
            return {}, data
        return data, {name: data.pop(name) for name in self.private_fields}


def _shallow(envelope: "Origin", names: Iterable[str]) -> dict[str, Any]:
    """These fields by name: nothing in them is ever changed, so a deep copy would only cost time."""
    return {name: getattr(envelope, name) for name in names}


def too_new(type: str, schema: int, known: int) -> SchemaTooNew:
    """The refusal of a shape that is not known here; ``known`` is 0 where the event itself is not."""
    return SchemaTooNew(retry_after=_UNTIL_DEPLOYED, type=type, schema=schema, known=known)


def _service_of(module: str) -> str:
    parts = module.split(".")
    return parts[2] if parts[:2] == ["services", "contracts"] else parts[1]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote, when and why: the part of the envelope that all events of one write share."""

    at: datetime
    by: str
    city: str
    cause: str
    fingerprint: str | None
    trace: str | None


@dataclass(frozen=True, slots=True)
class Recorded(Origin):
    """One event as it stands in a history."""

    id: str
    type: str
    schema: int
    version: int
    published: bool
    data: dict[str, Any]
    private: dict[str, Any]
    hash: str
    refused: dict[str, Any] | None = None

    @classmethod
    def of(
        cls,
        event: Event,
        entity_id: str,
        version: int,
        origin: Origin,
        previous: str,
        refused: dict[str, Any] | None = None,
    ) -> Self:
        """Wrap an event for version ``version`` of its entity; EventTooLarge above 64 KiB.

        ``refused`` is the refusal whose trace the event is.
        """
        data, private = event.split()
        body: dict[str, Any] = {
            "id": f"{entity_id}:{version}",
            "type": event.type_name(),
            "schema": event.schema_version,
            "version": version,
            **_shallow(origin, Origin.__slots__),
            "published": not event.private,
            "data": data,
            "private": private,
            "refused": refused,
        }
        canonical = canonical_bytes(body)
        if len(canonical) > MAX_BYTES:
            raise EventTooLarge(limit=MAX_BYTES)
        return cls(**body, hash=chained(previous, canonical))

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Self:
        """From the form in which a history stores it; a newer process may have stored more than is known here."""
        return cls(**{name: document[name] for name in _STORED if name in document})

    def document(self) -> dict[str, Any]:
        """The form in which a history stores it."""
        return _shallow(self, _STORED)

    @property
    def entity_id(self) -> str:
        """The id of the entity to which this happened."""
        return self.id.rpartition(":")[0]


_STORED = (*Recorded.__slots__, *Origin.__slots__)


def follows(entry: Mapping[str, Any], previous: str) -> bool:
    """Whether the hash of a history's entry is right after ``previous``: a changed byte breaks the chain from there on.

    It goes over the entry as it was stored, with what a newer process may have put into it.
    """
    body = {name: value for name, value in entry.items() if name != "hash"}
    try:
        return bool(entry.get("hash") == chained(previous, canonical_bytes(body)))
    except orjson.JSONEncodeError:
        return False


def canonical_bytes(body: Mapping[str, Any]) -> bytes:
    """One spelling for one content: sorted keys, instants in UTC."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def chained(previous: str, canonical: bytes) -> str:
    """SHA-256 over the previous hash and these bytes, in hexadecimal."""
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def by_type(types: Iterable[type[Event]]) -> dict[str, type[Event]]:
    """The event classes by their names on the wire."""
    return {kind.type_name(): kind for kind in types}


def decode(types: Mapping[str, type[Event]], recorded: Recorded) -> Event:
    """The event as its class, in today's shape; SchemaTooNew where its type or its shape is not known here."""
    if recorded.type not in types:
        raise too_new(recorded.type, recorded.schema, 0)
    return types[recorded.type].parse_upcast(recorded.schema, {**recorded.data, **recorded.private})


def newer_shapes(history: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The events among these whose shape is not their first, by the names of their classes."""
    return {entry["type"].rpartition(".")[2]: entry["schema"] for entry in history if entry["schema"] > 1}


def expect_known(types: Mapping[str, type[Event]], shapes: Mapping[str, int]) -> None:
    """SchemaTooNew where one of these ``newer_shapes`` is not known here: what such a write made could be spoilt."""
    known = {kind.__name__: kind for kind in types.values()}
    for name, schema in shapes.items():
        newest = known[name].schema_version if name in known else 0
        if schema > newest:
            raise too_new(name, schema, newest)
