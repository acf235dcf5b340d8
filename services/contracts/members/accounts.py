"""What members tells of accounts and of sign-in."""

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
    """An account's roles, places and organisations are these from now on."""

    person_id: Id
    roles: list[Role | str]
    places: list[Code]
    organisations: list[Id]


class AccountClosed(Event):
    """Nobody signs in with an account any longer."""

    person_id: Id


class SignInCodeIssued(Event):
    """A code to sign in with was made for a phone; it has to reach that phone before it expires.

    The mark of the code, by which a given one is compared, stays in the history.
    """

    person_id: Id
    phone: Sealed
    code: Sealed
    expires_at: Instant
    mark: Annotated[Digest | None, Private] = None
