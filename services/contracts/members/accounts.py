"""The events of accounts and of sign-in."""

from enum import StrEnum
from typing import Annotated, ClassVar

from services.chassis.domain.events import Event
from services.chassis.domain.scope import EVERY_TOKEN
from services.chassis.domain.values import Code, Digest, Id, Instant, Private, Sealed
from services.contracts.members.roles import Role


class AccountOpened(Event):
    """A person can sign in from now on, with these roles for these places and organisations.

    ``language`` is that of a first sign-in by phone; of staff it is not known.
    """

    person_id: Id
    roles: list[Role | str]
    places: list[Code]
    organisations: list[Id]
    language: Code | None = None


class RolesGranted(Event):
    """An account's roles, places and organisations were replaced by these.

    Its tokens with a number below ``tokens_below`` have the rights of before: they are refused, and none is good after
    ``tokens_until``. The next one of the same session has these.
    """

    person_id: Id
    roles: list[Role | str]
    places: list[Code]
    organisations: list[Id]
    tokens_below: int
    tokens_until: Instant


class AccountClosed(Event):
    """An account was closed: nobody can sign in with it, and its tokens are refused.

    No token of it can be good after ``tokens_until``: none is taken for longer than an hour.
    """

    tokens_below: ClassVar[int] = EVERY_TOKEN

    person_id: Id
    tokens_until: Instant


class SessionEnd(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    ENDED_ELSEWHERE = "ended_elsewhere"
    SPENT_TOKEN = "spent_token"  # noqa: S105 - no secret
    ACCOUNT_CLOSED = "account_closed"
    PHONE_LOST = "phone_lost"
    PHONE_CHANGED = "phone_changed"


class SessionEnded(Event):
    """A session ended, and its tokens are refused; no token of it can be good after ``tokens_until``."""

    tokens_below: ClassVar[int] = EVERY_TOKEN

    person_id: Id
    reason: SessionEnd | str
    tokens_until: Instant


REVOKING = (SessionEnded, AccountClosed, RolesGranted)
"""The events after which every service refuses tokens."""


class NewDeviceUsed(Event):
    """A person signed in with a device of a kind that they had not signed in with before."""

    person_id: Id


class SignInCodeIssued(Event):
    """A sign-in code was made for a phone; it must reach the phone before it expires.

    The keyed hash of the code, which checks a given one, and the known device that asked for it stay in the history.
    ``language`` is that of the request.
    """

    person_id: Id
    phone: Sealed
    code: Sealed
    expires_at: Instant
    language: Code | None = None
    code_hash: Annotated[Digest | None, Private] = None
    device: Annotated[Digest | None, Private] = None
