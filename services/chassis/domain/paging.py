"""Pages of a list and the cursors between them: always along an index, never by offset."""

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
    """Some entries of a list and the cursor of the next page, None at the end."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by one stored field, then by id, both in the same direction."""

    field: str
    descending: bool = False

    @property
    def keys(self) -> list[tuple[str, int]]:
        """As the driver takes it."""
        step = -1 if self.descending else 1
        return [("_id", step)] if self.field == "_id" else [(self.field, step), ("_id", step)]

    def beyond(self, where: dict[str, Any], cursor: str | None) -> dict[str, Any]:
        """The condition for what comes after ``cursor`` in the list that ``where`` makes."""
        if cursor is None:
            return where
        value, last = _read(cursor, _mark(where, self))
        step = "$lt" if self.descending else "$gt"
        if self.field == "_id":
            return {"$and": [where, {"_id": {step: last}}]}
        bound, further = (_below if self.descending else _above)(self.field, value)
        # The bound keeps the scan inside the index; the choice behind it only drops the ties.
        return {"$and": [where, *bound, {"$or": [*further, {"_id": {step: last}}]}]}

    def cursor(self, where: dict[str, Any], document: dict[str, Any]) -> str:
        """The cursor that goes on after ``document``."""
        value: Any = document
        for part in self.field.split("."):
            value = value.get(part)  # an older document may lack the field; it is sorted as None
        content = [_mark(where, self), _plain(value), document["_id"]]
        return base64.urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


Conditions = list[dict[str, Any]]


def _above(field: str, value: Any) -> tuple[Conditions, Conditions]:
    """(where the rest of a rising list lies, what in it has another value); None stands before all other values."""
    if value is None:
        return [], [{field: {"$ne": None}}]
    return [{field: {"$gte": value}}], [{field: {"$gt": value}}]


def _below(field: str, value: Any) -> tuple[Conditions, Conditions]:
    """As ``_above``, of a falling list: the entries without a value come last."""
    if value is None:
        return [{field: None}], []
    # Not "at most": that would leave out the entries without a value.
    return [{field: {"$not": {"$gt": value}}}], [{field: {"$not": {"$gte": value}}}]


def _mark(where: dict[str, Any], order: Order) -> str:
    raw = orjson.dumps([where, order.field, order.descending], default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()[:12]


def _plain(value: Any) -> Any:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _read(cursor: str, mark: str) -> tuple[Any, str]:
    try:
        known, value, last = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(value, dict):
            value = in_milliseconds(datetime.fromisoformat(value["at"]))
    except (ValueError, KeyError, TypeError, OverflowError):
        raise CursorInvalid from None
    if known != mark or not isinstance(last, str):
        raise CursorInvalid
    return value, last
