"""What can be done with sessions: sign in, stay, sign out.

Signing in writes several entities, each in a use case of its own, in an order in which a crash between any two leaves
something that a repeat can go on from. By phone: the code is weighed (a wrong one is counted); the person is made
under the id that the phone's claim gave; the account under the id that follows from the person's; then the code is
used up, and last the session is made. So until it is used up, the same code may be given again and meets whatever is
there; after that a new one is needed. Of twins at the same instant one uses it up, the other is told that it is wrong,
and both have met one person and one account. Staff: the guard takes the one-time code, then the session is made; after
a crash between them the next one-time code is taken.
"""

import asyncio
import secrets
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import PUBLIC, SYSTEM
from services.chassis.domain.values import id_from, shaped
from services.chassis.guards import changes, visible
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.roles import Role
from services.members.accounts import model as accounts
from services.members.accounts.codes.commands import accept_code, as_sign_in, weigh_code
from services.members.accounts.commands import open_residents_account
from services.members.accounts.model import Account, Login
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import Entrance, Guard, Session, SessionOver
from services.members.accounts.sessions.queries import TokensView, tokens
from services.members.people.commands import Phone, known_by_phone, register_by_phone
from services.members.people.model import e164

_NOBODY = "person_nobody"
"""Whose phone it is where nobody has it: no code was ever sent to them, so none is right."""

Digits = Annotated[str, shaped(r"^\d{6}$", "six-digits", examples=["123456"])]


class SignIn(Command):
    """A phone, and the code that came to it."""

    phone: Phone
    code: Digits


class SignInStaff(Command):
    """What a member of the staff knows, and what their authenticator shows."""

    login: Login
    password: Annotated[str, Field(min_length=1, max_length=200)]
    otp: Digits


class Refresh(Command):
    """The refresh token that came last."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


@usecase(allow=PUBLIC)
async def sign_in(ctx: Context, cmd: SignIn) -> TokensView:
    """Sign in with the code that came to your phone, which is good once; the first time makes your account."""
    phone, inside = e164(cmd.phone), _anew(ctx)
    # Weighed also where nobody has this phone: how long the answer takes must not tell.
    person_id = await known_by_phone(ctx, phone) or _NOBODY
    await weigh_code(inside, person_id, cmd.code)
    await register_by_phone(inside.substep("person"), person_id, phone)
    account = await open_residents_account(inside.substep("account"), person_id)
    await accept_code(inside, person_id, cmd.code)
    if not account.open:
        raise SessionOver
    return await _admitted(inside, account, Entrance.PHONE)


@usecase(allow=PUBLIC)
async def sign_in_staff(ctx: Context, cmd: SignInStaff) -> TokensView:
    """Sign in as staff with login, password and the one-time code of your authenticator."""
    inside = _anew(ctx)
    account = await _account_of(inside, cmd.login)
    await pass_guard(inside.substep("guard"), account, cmd)
    if account is None:
        raise model.SignInWrong
    return await _admitted(inside, account, Entrance.STAFF)


@usecase(allow=PUBLIC)
async def refresh(ctx: Context, cmd: Refresh) -> TokensView:
    """Stay signed in: exchange the refresh token for new tokens; a spent one ends the session for all who have it."""
    inside, fresh = _anew(ctx), secrets.token_urlsafe(32)
    id, _, given = cmd.refresh_token.partition(".")
    try:
        session = await rotate_session(inside, id, (given, fresh))
    except NotFound:
        raise SessionOver from None
    account = await inside.store.get(Account, session.account_id)
    return tokens(ctx, account, session, fresh)


@usecase(allow=tuple(Role), within=visible)
async def sign_out(ctx: Context) -> None:
    """Sign out: the session's refresh token is good for nothing from now on."""
    async with ctx.store.change(Session, ctx.actor.session or "") as session:
        model.end(session)


@usecase(allow=SYSTEM)
async def pass_guard(ctx: Context, account: Account | None, cmd: SignInStaff) -> Guard:
    """Let in whose password and one-time code are right, count the others."""
    async with ctx.store.change_or_create(Guard, _guard_of(ctx, cmd.login)) as guard:
        model.expect_unlocked(guard, ctx.now())
        model.judge(guard, await _proven(ctx, account, cmd, guard.last_step), ctx.now())
    return guard


@usecase(allow=SYSTEM)
async def start_session(ctx: Context, account_id: str, entrance: Entrance, secret: str) -> Session:
    """Begin the stay of an account that has proven who it is."""
    async with ctx.store.create(Session) as session:
        model.start(session, account_id, entrance, secret, ctx.now())
    return session


@changes(Session, allow=SYSTEM)
async def rotate_session(ctx: Context, session: Session, given_and_fresh: tuple[str, str]) -> None:
    """Exchange a session's refresh token; the session of a closed account ends."""
    account = await ctx.store.get(Account, session.account_id)
    if not account.open and session.open:
        session.refuse(model.SessionEnded(reason=model.SessionEnd.ACCOUNT_CLOSED), SessionOver())
    model.rotate(session, given_and_fresh, ctx.now())


def _anew(ctx: Context) -> Context:
    """Behind the door, with a cause of its own: to have been let in once must not open it again.

    A repeat with the same Idempotency-Key would otherwise get tokens without any proof, also after the account was
    closed; and the secret of the refresh token that was given first is nowhere kept, so the answer cannot be the same.
    """
    return replace(as_sign_in(ctx), cause=f"sign-in:{secrets.token_hex(16)}")


async def _admitted(ctx: Context, account: Account, entrance: Entrance) -> TokensView:
    secret = secrets.token_urlsafe(32)
    session = await start_session(ctx, account.id, entrance, secret)
    return tokens(ctx, account, session, secret)


async def _account_of(ctx: Context, login: str) -> Account | None:
    """The open account with this login."""
    id = await ctx.store.claimed(Account.entity_type, f"login|{login}")
    try:
        account = await ctx.store.get(Account, id or "")
    except NotFound:
        return None
    return account if account.open else None


async def _proven(ctx: Context, account: Account | None, cmd: SignInStaff, last_step: int) -> int | None:
    """The time step of the one-time code where that and the password are right; as slow where there is no account."""
    known = account.password_hash if account else None
    fits = await asyncio.to_thread(accounts.fits, cmd.password, known)
    if account is None or account.totp is None or not fits:
        return None
    await ctx.vault.ensure_keys(account.subjects())
    secret = ctx.vault.open(account.totp, account.person_id, "totp")
    return model.step_of(cmd.otp, secret, last_step, ctx.now()) if secret else None


def _guard_of(ctx: Context, login: str) -> str:
    return id_from(Guard.entity_type, ctx.vault.master.blind("login", login))
