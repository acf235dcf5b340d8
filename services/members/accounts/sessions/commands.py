"""Signing in, refreshing tokens, signing out.

Signing in writes several entities, each in a use case of its own. The order allows a repeat after a crash between any
two. By phone: the code is checked (a wrong one is counted); the person is created under the id that the phone
holds; the account under an id derived from the person's; then the code is used up, and the session is created last.
Until the code is used up, it may be given again and finds what exists already; after that a new code is needed. Of two
concurrent requests one uses the code up, and the other is refused as wrong; both find the same person and account.
Staff: the one-time code is accepted, then the session is created; after a crash in between, the next one-time
code is accepted.
"""

import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import Field

from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import PUBLIC, SYSTEM
from services.chassis.domain.spelling import TYPED
from services.chassis.domain.values import shaped
from services.chassis.guards import changes, visible
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import SessionEnd
from services.contracts.members.roles import Role
from services.members.accounts.attempts.commands import Attempts, at_login, count_failed, expect_unlocked, forget
from services.members.accounts.attempts.metrics import refused
from services.members.accounts.authenticators.commands import accept_one_time_code
from services.members.accounts.authenticators.model import SignInWrong
from services.members.accounts.codes.commands import (
    accept_code,
    as_sign_in,
    device_of_holder,
    refuse_holder,
    weigh_code,
)
from services.members.accounts.codes.model import LIFE, PhoneCode, PhoneInUse, PhoneSilent
from services.members.accounts.commands import forget_devices, open_residents_account
from services.members.accounts.devices.model import Device, SignInDevice
from services.members.accounts.devices.queries import FromDevice, UserAgent, index_of, known_device
from services.members.accounts.holders.queries import HolderProof, is_proven
from services.members.accounts.model import Account, Login
from services.members.accounts.networks.commands import ClientAddress, WorkDone, expect_room_at_desks
from services.members.accounts.passwords import model as passwords
from services.members.accounts.passwords.model import SignInBusy
from services.members.accounts.passwords.queries import HashingPool
from services.members.accounts.queries import account_with, residents_account
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import (
    RefreshToken,
    Session,
    SessionOver,
    SignInMethod,
)
from services.members.accounts.sessions.queries import TokensView, is_genuine, is_new_device, tokens
from services.members.people.commands import lose_phone, register_by_phone
from services.members.people.phones.commands import as_phones, confirm, ensure_holder
from services.members.people.phones.model import Phone, for_texts
from services.members.people.phones.queries import PhoneNumber, phone_of
from services.members.people.queries import is_known, is_silent

Digits = Annotated[str, TYPED, shaped(r"^[0-9]{6}$", "six-digits", examples=["123456"])]


class SignIn(HolderProof, FromDevice):
    """A phone, and the code that came to it; more where the phone was silent for long."""

    phone: PhoneNumber
    code: Digits


class SignInStaff(FromDevice):
    """The password of a member of staff, and the one-time code of their authenticator."""

    login: Login
    password: Annotated[str, Field(min_length=1, max_length=200)]
    otp: Digits
    work: WorkDone = None


class Refresh(Command):
    """The latest refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


@usecase(allow=PUBLIC)
async def sign_in(ctx: Context, cmd: SignIn, user_agent: UserAgent = None) -> TokensView:
    """Sign in with the code that came to your phone, which is good once; the first time makes your account.

    Where the phone was not used for long, also with your name or with number and code of one of your requests; or with
    `new_owner`, if the number is yours since lately.
    """
    number, sign_in_ctx = for_texts(cmd.phone), _as_new_sign_in(ctx)
    # Looked up even if nobody has this phone: the response time must not reveal that.
    phone = await phone_of(ctx, number)
    device = await device_of_holder(sign_in_ctx, phone, user_agent, cmd)
    code = await weigh_code(sign_in_ctx, number, cmd.code, device)
    person_id = await _holder(sign_in_ctx, phone, cmd, code, device)
    await register_by_phone(sign_in_ctx.substep("person"), person_id, number)
    account = await open_residents_account(sign_in_ctx.substep("account"), person_id)
    await confirm(as_phones(sign_in_ctx, "confirmed"), number, person_id)
    await accept_code(sign_in_ctx, number, cmd.code, device)
    if not account.open:
        raise SessionOver
    return await _admitted(sign_in_ctx, account, SignInMethod.PHONE, SignInDevice.of(user_agent, cmd.device))


@usecase(allow=PUBLIC)
async def sign_in_staff(
    ctx: Context, cmd: SignInStaff, user_agent: UserAgent = None, address: ClientAddress = None
) -> TokensView:
    """Sign in as staff with login, password and the one-time code of your authenticator.

    With a device that is not known, and where many do so from your network or in all, it needs a little work of the
    page first, or waits.
    """
    sign_in_ctx = _as_new_sign_in(ctx)
    account = await _account_of(sign_in_ctx, cmd.login)
    device = known_device(ctx, account, user_agent, cmd)
    attempts = at_login(ctx, cmd.login, device)
    await expect_unlocked(sign_in_ctx, attempts)
    if device is None:
        await expect_room_at_desks(sign_in_ctx.substep("room"), address, cmd.login, cmd.work)
    fitting = account if await _fits(ctx, account, cmd.password, device) else None
    admitted = await check_credentials(sign_in_ctx.substep("attempts"), fitting, cmd.otp, attempts)
    return await _admitted(sign_in_ctx, admitted, SignInMethod.STAFF, SignInDevice.of(user_agent, cmd.device))


@usecase(allow=PUBLIC)
async def refresh(ctx: Context, cmd: Refresh) -> TokensView:
    """Stay signed in: exchange the refresh token for new tokens.

    Where the answer was lost, send the same again within thirty seconds; later a spent one ends the session for all who
    have it.
    """
    sign_in_ctx, given = _as_new_sign_in(ctx), RefreshToken.parse(cmd.refresh_token)
    if not is_genuine(ctx, given):
        raise SessionOver
    try:
        session, account = await rotate_session(sign_in_ctx, given.session, given.generation)
    except NotFound:
        raise SessionOver from None
    except SessionOver:
        await _forget_devices_of_stolen(sign_in_ctx, given.session)
        raise
    return tokens(ctx, account, session)


@usecase(allow=tuple(Role), within=visible)
async def sign_out(ctx: Context) -> None:
    """Sign out: all tokens of this session are refused within seconds."""
    async with ctx.store.change(Session, ctx.actor.session or "") as session:
        model.end(session, SessionEnd.SIGNED_OUT, ctx.now())


@changes(Session, allow=tuple(Role), within=visible)
async def end_session(ctx: Context, session: Session) -> None:
    """End one of your sessions, such as that of a phone you no longer have: its tokens are refused within seconds.

    Devices are known again when they are signed in, or refresh, the next time.
    """
    here = session.id == ctx.actor.session
    if session.open and not here:
        await _forget_devices(as_sign_in(ctx), session.account_id, ctx.now())
    model.end(session, SessionEnd.SIGNED_OUT if here else SessionEnd.ENDED_ELSEWHERE, ctx.now())


@usecase(allow=SYSTEM)
async def check_credentials(ctx: Context, account: Account | None, otp: str, attempts: Attempts) -> Account:
    """Accept the one-time code of an account whose password was right; count the other attempts. SignInWrong."""
    await expect_unlocked(ctx, attempts)  # others may have failed while the password was hashed
    try:
        if account is None:
            raise SignInWrong
        await accept_one_time_code(ctx.substep("one-time"), account, otp)
    except SignInWrong:
        await count_failed(ctx, attempts)
        raise
    await forget(ctx, attempts)
    return account


@usecase(allow=SYSTEM)
async def start_session(ctx: Context, account: Account, method: SignInMethod, device: SignInDevice) -> Session:
    """Create the session of an account that has proven its identity, with the device that it signs in with."""
    person, index = account.person_id, index_of(ctx, account.id, device)
    is_new = await is_new_device(ctx, account.id, index)
    await ctx.vault.ensure_keys([person])
    async with ctx.store.create(Session) as session:
        known = Device(ctx.vault.seal(device.name, person, "device"), index)
        model.start(session, account.id, person, method, known, ctx.now())
        if is_new:
            model.note_new_device(session)
    return session


@usecase(allow=SYSTEM)
async def rotate_session(ctx: Context, session_id: str, generation: int) -> tuple[Session, Account]:
    """Exchange a session's genuine refresh token of this generation; the session of a closed account ends."""
    async with ctx.store.change(Session, session_id) as session:
        account = await ctx.store.get(Account, session.account_id)
        if not account.open:
            model.end_with_account(session, ctx.now())
        model.rotate(session, generation, ctx.now())
    return session, account


async def end_sessions(ctx: Context, account_id: str, reason: SessionEnd, but: str | None = None) -> None:
    """End every session of an account but one, for the system's own reason; none of its devices is known any more."""
    await _forget_devices(as_sign_in(ctx), account_id, ctx.now())
    open_ones = Session.where(account_id=account_id, open=True)
    async for found in ctx.container.mongo.each(Session.collection(), open_ones, {"_id": 1}):
        for id in (one["_id"] for one in found if one["_id"] != but):
            await end_lost_session(as_sign_in(ctx).substep(f"end-{id}"), id, reason)


@changes(Session, allow=SYSTEM)
async def end_lost_session(ctx: Context, session: Session, reason: SessionEnd) -> None:
    """End one session of somebody whose phone is another one."""
    model.end(session, reason, ctx.now())


async def _holder(ctx: Context, phone: Phone | None, proof: SignIn, code: PhoneCode, device: str | None) -> str:
    """Whose phone it is: its holder's, unless it was silent for long and they do not show that it is theirs still."""
    number = for_texts(proof.phone)
    holder = phone.holder if phone else None
    if phone is None or holder is None:
        return (await ensure_holder(as_phones(ctx, "phone"), number)).holder or ""
    if not await is_known(ctx, holder):
        return holder
    if not is_silent(ctx, phone):
        if proof.new_owner and not _was_taken_just_now(phone, ctx.now()):
            raise PhoneInUse
        return holder
    if await is_proven(ctx, holder, proof, code.wrong_names):
        return holder
    if proof.says:
        await refuse_holder(ctx.substep("unproven"), number, device, named=proof.name is not None)
    if not proof.new_owner:
        raise PhoneSilent
    await end_sessions(ctx, residents_account(holder), SessionEnd.PHONE_LOST)
    return await lose_phone(ctx, number, holder)


def _was_taken_just_now(phone: Phone, now: datetime) -> bool:
    """Whether its holder may have got it by this very code, with which they come again after a break."""
    return phone.since is not None and now - phone.since < 2 * LIFE


def _as_new_sign_in(ctx: Context) -> Context:
    """As the system, with a new cause for each request, because a sign-in must not be repeatable.

    Otherwise a repeat with the same Idempotency-Key would get tokens without any proof, even after the account was
    closed.
    """
    return replace(as_sign_in(ctx), cause=f"sign-in:{secrets.token_hex(16)}")


async def _admitted(ctx: Context, account: Account, method: SignInMethod, device: SignInDevice) -> TokensView:
    session = await start_session(ctx, account, method, device)
    return tokens(ctx, account, session)


async def _account_of(ctx: Context, login: str) -> Account | None:
    """The open account with this login."""
    account = await account_with(ctx, await ctx.claims.find(Account.entity_type, f"login|{login}") or "")
    return account if account and account.open else None


async def _fits(ctx: Context, account: Account | None, password: str, device: str | None) -> bool:
    """Whether it is the account's password; takes as long without an account. SignInBusy."""
    pool = ctx.dependency(HashingPool)
    work = partial(passwords.fits, password, account.password_hash if account else None)
    try:
        return await (pool.for_known(work) if device else pool.for_strangers(work))
    except SignInBusy:
        refused.labels(SignInMethod.STAFF, "queue").inc()
        raise


async def _forget_devices_of_stolen(ctx: Context, session_id: str) -> None:
    """Whose token is in two hands, their device proof may be as well."""
    session = await ctx.store.get(Session, session_id)
    if session.stolen_at:
        await _forget_devices(ctx, session.account_id, session.stolen_at)


async def _forget_devices(ctx: Context, account_id: str, at: datetime) -> None:
    """Know no device any more; nothing for somebody who never signed in."""
    with suppress(NotFound):
        await forget_devices(ctx.substep("devices"), account_id, at)
