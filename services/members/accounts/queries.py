"""Reading accounts; the secrets of staff are shown once, to the administrator who opens the account."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.values import id_from
from services.chassis.storage.filters import Has, Within
from services.chassis.storage.listings import Listing
from services.chassis.storage.master_key import MasterKey
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.roles import Role
from services.members.accounts import model
from services.members.accounts.model import Account


class AccountQuery(PageQuery):
    """Which accounts; both filters combine."""

    role: Annotated[Role | None, Has("roles"), Field(description="hold this role")] = None
    under: Annotated[AreaCode | None, Within(path), Field(description="hold it within this area")] = None


ACCOUNTS = Listing(Account, AccountQuery, leads=("under",))


class AccountView(BaseModel):
    """An account as its administrator sees it."""

    id: str
    person: str
    login: str | None = Field(examples=["150702001001-station"])
    roles: list[str] = Field(examples=[["handler"]])
    places: list[str] = Field(examples=[["150702001001"]])
    organisations: list[str]
    open: bool

    @classmethod
    def of(cls, account: Account, ctx: Context) -> Self:
        """Without any secret."""
        return cls(
            id=account.id,
            person=account.person_id,
            login=account.login,
            roles=list(account.roles),
            places=account.area_codes,
            organisations=account.organisations,
            open=account.open,
        )


class OpenedAccountView(AccountView):
    """A new account with its secrets: shown in this answer and its repeats only."""

    password: str
    totp_secret: str = Field(description="for an authenticator (RFC 6238: SHA-1, 6 digits, 30 s), in base 32")
    totp_uri: str = Field(description="the same as an otpauth address, for a QR code")

    @classmethod
    def of(cls, account: Account, ctx: Context) -> Self:
        """The secrets are the same in every repeat."""
        password, totp = secrets_of(ctx.vault.master, account.id)
        known = AccountView.of(account, ctx)
        return cls(
            id=known.id,
            person=known.person,
            login=known.login,
            roles=known.roles,
            places=known.places,
            organisations=known.organisations,
            open=known.open,
            password=password,
            totp_secret=totp,
            totp_uri=model.enrolment(totp, account.login or ""),
        )


@usecase(allow=Role.ADMINISTRATOR)
async def list_accounts(ctx: Context, query: AccountQuery) -> Page[Account]:
    """Find the staff accounts of your places."""
    return await ACCOUNTS.page(ctx.store, query)


@usecase(allow=Role.ADMINISTRATOR)
async def get_account(ctx: Context, account_id: str) -> Account:
    """Look at one staff account."""
    return await ctx.store.get(Account, account_id)


def secrets_of(master: MasterKey, account_id: str) -> tuple[str, str]:
    """(password, TOTP secret) of a new account.

    They are derived from the city's master key and the account's id, not random: the answer to a repeated request must
    be the same (the first answer was lost, or a seed run was interrupted), and neither is stored in clear. With the
    master key every secret of the database could be read anyway.
    """
    password = model.password_from(master.blind("password", account_id))
    return password, model.totp_from(master.blind("totp", account_id))


async def with_login(ctx: Context, login: str) -> Account | None:
    """The account with this login, also of a place that the actor is not in charge of."""
    id = await ctx.claims.find(Account.entity_type, f"login|{login}")
    found = await ctx.store.as_system().find(Account, {"_id": id or ""}, order=Order("_id"), limit=1)
    return found[0] if found else None


async def account_with(ctx: Context, id: str) -> Account | None:
    """The account with this id, for the system."""
    try:
        return await ctx.store.get(Account, id)
    except NotFound:
        return None


def residents_account(person_id: str) -> str:
    """The id of the account with which a person signs in by phone."""
    return id_from(Account.entity_type, person_id)
