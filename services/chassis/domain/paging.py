"""Pages of a list and their cursors: always along an index, never by offset."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.chassis.domain.refusals import CursorInvalid
from services.chassis.domain.values import in_milliseconds

T = TypeVar("T")
MAX_PAGE = 200


class PageQuery(BaseModel):
    """How much of a list, and from where."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(25, ge=1, le=MAX_PAGE, description="entries a page")
    after: str | None = Field(None, max_length=500, description="`next` of the page before")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some entries of a list, and the cursor of the next page (None at the end)."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by one stored field, then by id, in the same direction."""

    field: str
    descending: bool = False

    @property
    def keys(self) -> list[tuple[str, int]]:
        """In the driver's form."""
        step = -1 if self.descending else 1
        return [("_id", step)] if self.field == "_id" else [(self.field, step), ("_id", step)]

    def beyond(self, where: dict[str, Any], cursor: str | None) -> dict[str, Any]:
        """The condition for the entries after ``cursor`` in the list of ``where``."""
        if cursor is None:
            return where
        value, last = _read(cursor, _list_fingerprint(where, self))
        step = "$lt" if self.descending else "$gt"
        if self.field == "_id":
            return {"$and": [where, {"_id": {step: last}}]}
        bound = (_at_most if self.descending else _at_least)(self.field, value)
        behind = {self.field: value, "_id": {"$gte" if self.descending else "$lte": last}}
        # The bound keeps the scan inside the index. As a choice of two conditions the ties would be sorted in memory.
        return {"$and": [where, *bound, {"$nor": [behind]}]}

    def cursor(self, where: dict[str, Any], document: dict[str, Any]) -> str:
        """The cursor that continues after ``document``."""
        content = [_list_fingerprint(where, self), _plain(self.value_of(document)), document["_id"]]
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")

    def value_of(self, document: dict[str, Any]) -> Any:
        """What a document is ordered by; None where an older one lacks the field."""
        value: Any = document
        for part in self.field.split("."):
            value = value.get(part)
        return value


def _at_least(field: str, value: Any) -> list[dict[str, Any]]:
    """The condition for the rest of an ascending list; entries without a value sort before all others."""
    return [] if value is None else [{field: {"$gte": value}}]


def _at_most(field: str, value: Any) -> list[dict[str, Any]]:
    """Where the rest of a falling list lies; entries without a value come last."""
    # Not "at most": that would exclude the entries without a value.
    return [{field: None}] if value is None else [{field: {"$not": {"$gt": value}}}]


def _list_fingerprint(where: dict[str, Any], order: Order) -> str:
    raw = orjson.dumps([where, order.field, order.descending], default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()[:12]


def _plain(value: Any) -> Any:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _read(cursor: str, fingerprint: str) -> tuple[Any, str]:
    try:
        known, value, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(value, dict):
            value = in_milliseconds(datetime.fromisoformat(value["at"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        raise CursorInvalid from None
    if known != fingerprint or not isinstance(last, str):
        raise CursorInvalid
    return value, last
