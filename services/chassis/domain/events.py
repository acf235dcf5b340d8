"""Events: facts, and the envelope in which an entity's history keeps them."""

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
"""The largest event. Near the broker's own limit, an event would stop the relay for ever."""
_UNTIL_DEPLOYED = 30  # seconds


class EventTooLarge(Refusal):
    kind = Kind.TOO_LARGE


class SchemaTooNew(Refusal):
    kind = Kind.OUTDATED


class Event(BaseModel):
    """A fact in the past tense: flat, with ids and facts; personal data only as ``Sealed``.

    Fields are only ever added, and optional. If a field must be split or changed, the event gets the next
    ``schema_version``, and ``upcast`` converts the older shapes.
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
        """Data of the older shape ``schema``, as today's fields. Override it in a class that has older shapes."""
        return data

    @classmethod
    def parse_upcast(cls, schema: int, data: dict[str, Any]) -> Self:
        """The event from fields of any shape up to today's. Every history and every record is parsed here.

        Raises SchemaTooNew, or ValidationError if the fields are wrong.
        """
        if schema > cls.schema_version:
            raise too_new(cls.type_name(), schema, cls.schema_version)
        return cls.model_validate(data if schema == cls.schema_version else cls.upcast(schema, data))

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(published data, private data), both as JSON values."""
        data = self.model_dump(mode="json")
        if self.private:
            return {}, data
        return data, {name: data.pop(name) for name in self.private_fields}


def _shallow(envelope: "Origin", names: Iterable[str]) -> dict[str, Any]:
    """These fields by name. A shallow copy is enough, because nothing in them changes."""
    return {name: getattr(envelope, name) for name in names}


def too_new(type: str, schema: int, known: int) -> SchemaTooNew:
    """The refusal of an unknown shape; ``known`` is 0 if the event itself is unknown."""
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
    """One event as a history keeps it."""

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
        """Wrap an event as version ``version`` of its entity; EventTooLarge above 64 KiB.

        ``refused`` is the refusal that the event documents.
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
        """From its stored form, which a newer process may have extended."""
        return cls(**{name: document[name] for name in _STORED if name in document})

    def document(self) -> dict[str, Any]:
        """Its stored form."""
        return _shallow(self, _STORED)

    @property
    def entity_id(self) -> str:
        """The id of the entity of this event."""
        return self.id.rpartition(":")[0]


_STORED = (*Recorded.__slots__, *Origin.__slots__)


def follows(entry: Mapping[str, Any], previous: str) -> bool:
    """Whether the hash of a history entry follows from ``previous``: a changed byte breaks the chain from there on.

    The hash covers the entry as stored, including fields that a newer process added.
    """
    body = {name: value for name, value in entry.items() if name != "hash"}
    try:
        return bool(entry.get("hash") == chained(previous, canonical_bytes(body)))
    except orjson.JSONEncodeError:
        return False


def canonical_bytes(body: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a content: sorted keys, instants in UTC."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def chained(previous: str, canonical: bytes) -> str:
    """SHA-256 over the previous hash and these bytes, in hexadecimal."""
    return hashlib.sha256(previous.encode() + canonical).hexdigest()


def by_type(types: Iterable[type[Event]]) -> dict[str, type[Event]]:
    """The event classes by their names on the wire."""
    return {kind.type_name(): kind for kind in types}


def decode(types: Mapping[str, type[Event]], recorded: Recorded) -> Event:
    """The event as its class, in today's shape; SchemaTooNew if its type or shape is unknown."""
    if recorded.type not in types:
        raise too_new(recorded.type, recorded.schema, 0)
    return types[recorded.type].parse_upcast(recorded.schema, {**recorded.data, **recorded.private})


def newer_shapes(history: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The schema versions above 1 among these entries, by class name."""
    return {entry["type"].rpartition(".")[2]: entry["schema"] for entry in history if entry["schema"] > 1}


def expect_known(types: Mapping[str, type[Event]], shapes: Mapping[str, int]) -> None:
    """SchemaTooNew if one of these ``newer_shapes`` is unknown here: this process could damage what the newer one
    wrote."""
    known = {kind.__name__: kind for kind in types.values()}
    for name, schema in shapes.items():
        newest = known[name].schema_version if name in known else 0
        if schema > newest:
            raise too_new(name, schema, newest)
