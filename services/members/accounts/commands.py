"""Opening, changing and closing accounts."""

from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field

from services.chassis.domain.paging import Order
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import id_from, shaped
from services.chassis.guards import changes, expect_in_charge, visible
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import AccountOpened
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.roles import Role
from services.members.accounts import model
from services.members.accounts.model import Account, CredentialsSet, Login, LoginTaken
from services.members.accounts.passwords import model as passwords
from services.members.accounts.passwords.queries import HashingPool
from services.members.accounts.queries import residents_account, secrets_of
from services.members.areas.queries import expect_open
from services.members.organisations.model import Organisation
from services.members.people.commands import PersonName, RegisterStaff, register_staff
from services.members.teams.model import Team


def _each_once(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("each may be there once only")
    return values


def _of_staff(roles: list[Role]) -> list[Role]:
    if Role.RESIDENT in roles:
        raise ValueError("residents sign in with their phone")
    return roles


Roles = Annotated[list[Role], Field(min_length=1, max_length=6), AfterValidator(_each_once), AfterValidator(_of_staff)]
Places = Annotated[list[AreaCode], Field(min_length=1, max_length=20), AfterValidator(_each_once)]
Organisations = Annotated[
    list[
        Annotated[
            str,
            shaped(
                r"^(organisation|team)_[0-9a-z]{1,40}$",
                "handler-id",
            ),
        ]
    ],
    Field(max_length=50, description="ids of organisations and teams"),
    AfterValidator(_each_once),
]


class OpenAccount(Command):
    """A member of the staff who is to sign in: a new person, with the own phone once they set it."""

    login: Login
    name: PersonName | None = None
    roles: Roles
    places: Places
    organisations: Organisations = Field(default_factory=list)


class GrantRoles(Command):
    """All that an account holds from now on."""

    roles: Roles
    places: Places
    organisations: Organisations = Field(default_factory=list)


async def _gives_own(ctx: Context, account: Account, cmd: OpenAccount | GrantRoles) -> None:
    """An administrator grants only what exists and lies in their own places, and nothing to themselves."""
    if isinstance(cmd, GrantRoles):
        model.expect_other(account, ctx.actor)
    model.expect_separate(cmd.roles, cmd.places)
    served = await _areas_of(ctx, cmd.organisations)
    model.expect_known(cmd.organisations, served)
    for code in (*cmd.places, *served.values()):
        expect_in_charge(ctx.actor, path(code))


@usecase(allow=Role.ADMINISTRATOR, within=_gives_own, live=True)
async def open_account(ctx: Context, cmd: OpenAccount) -> Account:
    """Open a staff account; its password and second factor are generated and shown in this answer only."""
    id = await ctx.claims.claim(Account.entity_type, f"login|{cmd.login}")
    await ctx.claims.bind(Account.entity_type, id)
    try:
        async with ctx.store.create(Account, id) as account:
            await _expect_open(ctx, cmd.places)
            await _open(ctx, account, await _new_person(ctx, id, cmd), cmd)
    except Taken:
        raise LoginTaken(login=cmd.login) from None
    return account


@usecase(allow=SYSTEM)
async def open_residents_account(ctx: Context, person_id: str) -> Account:
    """Create or find the account of a person who signs in with their phone."""
    id = residents_account(person_id)
    try:
        async with ctx.store.create(Account, id) as account:
            account.record(
                AccountOpened(
                    person_id=person_id, roles=[Role.RESIDENT], places=[], organisations=[], language=ctx.language
                )
            )
    except Taken:
        return await ctx.store.get(Account, id)
    return account


@changes(Account, allow=Role.ADMINISTRATOR, within=_gives_own, live=True)
async def grant_roles(ctx: Context, account: Account, cmd: GrantRoles) -> None:
    """Give a staff account other roles, places and organisations: its next token has them, which it gets by refreshing.

    Tokens with the rights of before are refused within seconds.
    """
    await _expect_open(ctx, cmd.places)
    model.grant(account, list(cmd.roles), cmd.places, cmd.organisations, ctx.now())


@changes(Account, allow=Role.ADMINISTRATOR, within=visible, live=True)
async def close_account(ctx: Context, account: Account) -> None:
    """Close a staff account: it gets no more tokens, and those that it has are refused within seconds."""
    model.close(account, ctx.now())


@changes(Account, allow=SYSTEM)
async def forget_devices(_: Context, account: Account, at: datetime) -> None:
    """Know no device of an account any more that was known at this time: one of them is in other hands."""
    model.forget_devices(account, at)


async def _new_person(ctx: Context, account_id: str, cmd: OpenAccount) -> str:
    """Who the account is for: nobody who is known, since what is theirs could be read with its secrets."""
    named = RegisterStaff(name=cmd.name, area=cmd.places[0])
    # A step of its own with its own id: after a crash between the two writes, a repeat finds the person.
    return (await register_staff(ctx.substep("person"), id_from("person", account_id), named)).id


async def _open(ctx: Context, account: Account, person_id: str, cmd: OpenAccount) -> None:
    password, totp = secrets_of(ctx.vault.master, account.id)
    password_hash = await ctx.dependency(HashingPool).for_known(partial(passwords.hashed, password))
    await ctx.vault.ensure_keys([person_id])
    sealed = ctx.vault.seal(totp, person_id, "totp")
    roles, places, organisations = list(cmd.roles), cmd.places, cmd.organisations
    account.record(AccountOpened(person_id=person_id, roles=roles, places=places, organisations=organisations))
    account.record(CredentialsSet(login=cmd.login, password_hash=password_hash, totp=sealed))


async def _expect_open(ctx: Context, places: list[str]) -> None:
    for code in places:
        await expect_open(ctx, code)


async def _areas_of(ctx: Context, ids: list[str]) -> dict[str, str]:
    """The areas of the organisations and teams that exist, by id."""
    if not ids:
        return {}
    these, order, most = {"_id": {"$in": ids}}, Order("_id"), len(ids)
    organisations = await ctx.store.find(Organisation, these, order=order, limit=most)
    teams = await ctx.store.find(Team, these, order=order, limit=most)
    return {one.id: one.area for one in organisations} | {one.id: one.area for one in teams}
