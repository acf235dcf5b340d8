"""Refusals: the ways in which a use case says no, each with a stable code, under which the texts have a sentence."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel


class Kind(StrEnum):
    """The kind of a refusal; the HTTP status is derived from it in one place."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    STATE = "state"
    STALE = "stale"
    REQUIRED = "required"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    OUTDATED = "outdated"


class Refusal(Exception):
    """A use case refuses, with a reason.

    A subclass states its kind; the texts have a sentence under its code, with placeholders for its params.
    """

    kind: ClassVar[Kind]

    def __init_subclass__(cls) -> None:
        REFUSALS[cls.code()] = cls

    def __init__(self, *, retry_after: int | None = None, **params: Any) -> None:
        super().__init__(self.code(), params)
        self.params = params
        self.retry_after = retry_after

    @classmethod
    def code(cls) -> str:
        """The stable code, such as ``not-found``, made from the class's name."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __str__(self) -> str:
        """For logs: its code and params, and the class of what it came from; that one's text may hold anything."""
        params = ", ".join(f"{name}={value}" for name, value in self.params.items())
        before = f" from {type(self.__cause__).__name__}" if self.__cause__ else ""
        return self.code() + (f" ({params})" if params else "") + before

    def as_record(self) -> dict[str, Any]:
        """Its form in a history, as JSON values, for the answer to a repeat."""
        params = orjson.loads(orjson.dumps(self.params, default=_plain))
        return {"code": self.code(), "retry_after": self.retry_after, "params": params}


def _plain(param: Any) -> Any:
    return param.model_dump() if isinstance(param, BaseModel) else str(param)


REFUSALS: dict[str, type[Refusal]] = {}
"""Every refusal by its code; codes are unique."""


def refusal_from(record: Mapping[str, Any]) -> Refusal:
    """The refusal that a history recorded."""
    kind = REFUSALS.get(record["code"], RefusedBefore)
    return kind(retry_after=record["retry_after"], **record["params"])


class RefusedBefore(Refusal):
    kind = Kind.STATE


class NotFound(Refusal):
    kind = Kind.NOT_FOUND


class AddressUnknown(Refusal):
    kind = Kind.NOT_FOUND


class Forbidden(Refusal):
    kind = Kind.FORBIDDEN


class OutsideYourPlaces(Refusal):
    kind = Kind.FORBIDDEN


class PersonNeeded(Refusal):
    kind = Kind.FORBIDDEN


class SignInNeeded(Refusal):
    kind = Kind.UNAUTHENTICATED


class TokenInvalid(Refusal):
    kind = Kind.UNAUTHENTICATED


class Invalid(Refusal):
    kind = Kind.INVALID


class KeyReused(Refusal):
    kind = Kind.INVALID


class KeyNeeded(Refusal):
    kind = Kind.REQUIRED


class Stale(Refusal):
    kind = Kind.STALE


class Busy(Refusal):
    kind = Kind.UNAVAILABLE


class Unavailable(Refusal):
    kind = Kind.UNAVAILABLE


class BodyTooLarge(Refusal):
    kind = Kind.TOO_LARGE


class CursorInvalid(Refusal):
    kind = Kind.INVALID
