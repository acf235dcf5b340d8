"""An account: the roles of a person for places and organisations, and the sign-in secrets of staff."""

import base64
from collections.abc import Collection, Container, Iterable
from datetime import datetime
from typing import Annotated, ClassVar, assert_never

import pyotp

from services.chassis.domain.entity import Entity, Index, Terms
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, LONGEST_TOKEN, SYSTEM, Actor, Visible
from services.chassis.domain.spelling import TYPED
from services.chassis.domain.values import EVER, Code, Digest, Instant, Sealed, shaped
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.contracts.members.areas import include_a_city, path
from services.contracts.members.roles import Role

Login = Annotated[
    str,
    TYPED,
    shaped(
        r"^[a-z0-9][a-z0-9._-]{2,63}$",
        "login",
        examples=["150702001001-station"],
    ),
]


class CredentialsSet(Event):
    """An account got its login, password and second factor."""

    private: ClassVar[bool] = True

    login: Code
    password_hash: Digest
    totp: Sealed


class DevicesForgotten(Event):
    """No proof counts any more that a device of the account was given until then."""

    private: ClassVar[bool] = True

    since: Instant


AccountEvent = AccountOpened | RolesGranted | AccountClosed | CredentialsSet | DevicesForgotten


class LoginTaken(Refusal):
    kind = Kind.STATE


class AccountIsClosed(Refusal):
    kind = Kind.STATE


class OwnAccount(Refusal):
    kind = Kind.FORBIDDEN


class AuditorAlone(Refusal):
    kind = Kind.INVALID


class AuditorOfCity(Refusal):
    kind = Kind.INVALID


class OrganisationUnknown(Refusal):
    kind = Kind.INVALID


class Account(Entity[AccountEvent]):
    """What a person signs in to. Residents' accounts have no login: they sign in by phone."""

    entity_type: ClassVar[str] = "account"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("tokens_until", "id"), above=EVER),)
    terms: ClassVar[Terms] = Terms(values=("roles",))

    person_id: str
    roles: list[Role | str]
    area_codes: list[str]
    organisations: list[str]
    open: bool = True
    tokens_until: Instant | None = None
    """Once it is closed, or has other rights: no token of before can be good after this."""
    tokens_below: int = 0
    """Tokens with a lower number are refused: it grows with each change of the rights, and is the number of the next
    token."""
    devices_since: Instant | None = None
    """Proofs that devices were given before count no more."""
    login: str | None = None
    password_hash: str | None = None
    totp: Sealed | None = None

    def apply(self, event: AccountEvent) -> None:
        """Fold an event into the state."""
        match event:
            case AccountOpened() | RolesGranted():
                self.person_id, self.roles = event.person_id, event.roles
                self.area_codes, self.organisations = event.places, event.organisations
                if isinstance(event, RolesGranted):
                    self.tokens_below, self.tokens_until = event.tokens_below, event.tokens_until
            case CredentialsSet():
                self.login, self.password_hash, self.totp = event.login, event.password_hash, event.totp
            case AccountClosed():
                self.open, self.tokens_below, self.tokens_until = False, event.tokens_below, event.tokens_until
            case DevicesForgotten():
                self.devices_since = event.since
            case _:
                assert_never(event)

    def places(self) -> tuple[str, ...]:
        """The deepest area that contains all its places: an administrator must be in charge of all of them."""
        first, *others = [path(code) for code in self.area_codes] or [()]
        return tuple(code for code in first if all(code in other for other in others))

    def subjects(self) -> tuple[str, ...]:
        """The person whose second factor it holds."""
        return (self.person_id,)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Visible to the administrators of its places."""
        if actor.has(SYSTEM):
            return ALL
        return Visible().where("under", *actor.places) if actor.has(Role.ADMINISTRATOR) else Visible()

    def actor(self, session: str) -> Actor:
        """The actor of a request that is signed in with this account."""
        return Actor(
            id=self.id,
            roles=frozenset(self.roles),
            places=tuple(self.area_codes),
            organisations=tuple(self.organisations),
            person=self.person_id,
            session=session,
            grants=self.tokens_below,
        )


def grant(
    account: Account, roles: list[Role | str], places: list[str], organisations: list[str], now: datetime
) -> None:
    """Replace the roles of an open account; tokens with those of before are refused."""
    _open(account)
    if (roles, places, organisations) != (account.roles, account.area_codes, account.organisations):
        account.record(
            RolesGranted(
                person_id=account.person_id,
                roles=roles,
                places=places,
                organisations=organisations,
                tokens_below=account.tokens_below + 1,
                tokens_until=now + LONGEST_TOKEN,
            )
        )


def expect_other(account: Account, actor: Actor) -> None:
    """OwnAccount where the account, or the person who has it, is the actor: nobody gives rights to themselves."""
    if actor.id == account.id or account.person_id == actor.person:
        raise OwnAccount


def close(account: Account, now: datetime) -> None:
    """Close it, so that nobody can sign in with it and its tokens are refused; AccountIsClosed if it is closed
    already."""
    _open(account)
    account.record(AccountClosed(person_id=account.person_id, tokens_until=now + LONGEST_TOKEN))


def forget_devices(account: Account, at: datetime) -> None:
    """Know no device any more that was known at this time."""
    if account.devices_since is None or account.devices_since < at:
        account.record(DevicesForgotten(since=at))


def expect_separate(roles: Collection[str], places: Iterable[str]) -> None:
    """Who audits does nothing else, and everywhere (GB/T 22239-2019, 8.1.5). AuditorAlone, AuditorOfCity."""
    if Role.AUDITOR not in roles:
        return
    if len(roles) > 1:
        raise AuditorAlone
    if not all(include_a_city([code]) for code in places):
        raise AuditorOfCity


def expect_known(organisations: Iterable[str], known: Container[str]) -> None:
    """OrganisationUnknown if one of these ids does not exist."""
    for id in organisations:
        if id not in known:
            raise OrganisationUnknown(organisation=id)


def password_from(seed: str) -> str:
    """A password of 100 bits from 40 hexadecimal characters, in groups that can be read aloud."""
    letters = _base32(seed).lower()[:20]
    return "-".join(letters[start : start + 4] for start in range(0, 20, 4))


def totp_from(seed: str) -> str:
    """A TOTP secret (RFC 6238) of 160 bits from 40 hexadecimal characters, in base 32."""
    return _base32(seed)


def enrolment(secret: str, login: str) -> str:
    """The otpauth URI that an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Linli")


def _base32(seed: str) -> str:
    return base64.b32encode(bytes.fromhex(seed)).decode()


def _open(account: Account) -> None:
    if not account.open:
        raise AccountIsClosed(account=account.id)
