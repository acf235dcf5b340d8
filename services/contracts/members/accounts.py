"""The events of accounts and of sign-in."""

from typing import Annotated

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Digest, Id, Instant, Private, Sealed
from services.contracts.members.roles import Role


class AccountOpened(Event):
    """A person can sign in from now on, with these roles for these places and organisations."""

    person_id: Id
    roles: list[Role | str]
    places: list[Code]
    organisations: list[Id]


class RolesGranted(Event):
    """An account's roles, places and organisations were replaced by these."""

    person_id: Id
    roles: list[Role | str]
    places: list[Code]
    organisations: list[Id]


class AccountClosed(Event):
    """An account was closed: nobody can sign in with it."""

    person_id: Id


class SignInCodeIssued(Event):
    """A sign-in code was made for a phone; it must reach the phone before it expires.

    The keyed hash of the code, which checks a given one, stays in the history.
    """

    person_id: Id
    phone: Sealed
    code: Sealed
    expires_at: Instant
    code_hash: Annotated[Digest | None, Private] = None
