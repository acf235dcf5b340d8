"""Values with the same meaning everywhere: instants, ids, sealed text."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from services.chassis.domain.spelling import day_from, half_width
from services.chassis.domain.writing import LEGIBLE

_ALPHABET = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789abcdefghjkmnpqrstvwxyz")


def in_milliseconds(at: datetime) -> datetime:
    """The same instant in UTC, cut to milliseconds, as in BSON; ValueError outside the years 1 to 9999."""
    if at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError:
            raise ValueError("in UTC it lies beyond the years 1 to 9999") from None
    beyond = at.microsecond % 1000
    return at.replace(microsecond=at.microsecond - beyond) if beyond else at


def midnight_in(zone: ZoneInfo, moment: datetime) -> datetime:
    """The instant of a moment: a day begins in this zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zone).astimezone(UTC)


def _day_or_instant(given: Any) -> Any:
    """A day as its midnight without a zone; what is none goes on as it is, or is refused."""
    if not isinstance(given, str):
        return given
    try:
        day = day_from(given)
        found = datetime.combine(day, time()) if day else datetime.fromisoformat(given)
    except ValueError:
        raise PydanticCustomError("moment_parsing", "must be a day or a time") from None
    if not _FIRST <= found.year < _LAST:
        raise PydanticCustomError("moment_parsing", "must be a day or a time")
    if day is None and found.tzinfo is None:
        raise PydanticCustomError("timezone_aware", "must have a zone")
    return found


def wall_time(given: Any) -> Any:
    """A time as it is written, with or without a zone; what is none is refused."""
    try:
        found = datetime.fromisoformat(half_width(given).strip().upper()) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or day_from(given) is not None or not _FIRST <= found.year < _LAST:
        raise PydanticCustomError("moment_parsing", "must be a day or a time")
    return found


def _in_utc(moment: datetime) -> datetime:
    return in_milliseconds(moment) if moment.tzinfo else moment


_FIRST, _LAST = 1900, 2200
"""The years of a moment that somebody may mean."""

EVER = datetime(2000, 1, 1, tzinfo=UTC)
"""Earlier than every instant that is stored: what is later than this has one."""

Instant = Annotated[AwareDatetime, AfterValidator(in_milliseconds)]
"""A point in time: aware, UTC, whole milliseconds."""

Moment = Annotated[
    datetime,
    BeforeValidator(_day_or_instant),
    AfterValidator(_in_utc),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
"""An instant, or a day: of that, its midnight without a zone, which the reader's city gives it (``midnight_in``)."""

Text = Annotated[str, Field(min_length=1, max_length=4000), LEGIBLE]
"""Free text that a person wrote: at most 4,000 characters."""


PATTERNS: dict[str, str] = {}
"""The name of each pattern, under which the texts say what such a text looks like."""


def shaped(pattern: str, name: str, **more: Any) -> Any:
    """The field of a text that has a pattern, and its name among the texts (``patterns``); ``more`` as in ``Field``."""
    PATTERNS[pattern] = name
    return Field(pattern=pattern, **more)


def now() -> datetime:
    """This instant by the machine's clock; use cases take it from their context."""
    return in_milliseconds(datetime.now(UTC))


def id_from(kind: str, cause: str) -> str:
    """The id, such as ``case_8f3k…`` (120 bits), derived from this cause: a repeat finds what it made before."""
    return f"{kind}_{_base32(hashlib.sha256(f'{kind}|{cause}'.encode()).digest()[:15])}"


def kind_of(id: str) -> str:
    """The entity type that an id carries."""
    return id.rpartition("_")[0]


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().translate(_ALPHABET)


class Sealed(str):
    """Encrypted text. Only the vault opens it, for a given subject and field kind."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Any string is accepted; only the vault knows whether it opens."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())

    def __repr__(self) -> str:
        return "Sealed(…)"


@dataclass(frozen=True, slots=True)
class Readable:
    """Marks text of an event that is published in clear, and says what it is: never free text, never personal."""

    what: str


Id = Annotated[str, Readable("an id that we made: of an entity, an account or an actor")]
Code = Annotated[str, Readable("a code: of an area, a skill, a template, a language, an answer of a provider")]
PublicText = Annotated[str, Readable("text that is public by its nature: the name of a place, a body, a service")]
Digest = Annotated[str, Readable("a hash or an HMAC")]


class _Private:
    """Marks a field of an event that stays in the history and is never published."""


Private = _Private()
