"""Sending a code to a phone, and checking one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pydantic import BaseModel, Field

from services.chassis.domain.scope import PUBLIC, SYSTEM, system_actor
from services.chassis.domain.values import id_from
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.attempts.metrics import refused
from services.members.accounts.codes import model
from services.members.accounts.codes.model import CodeWrong, HolderUnproven, PhoneCode, TooManyWrongCodes
from services.members.accounts.devices.queries import FromDevice, UserAgent, known_device
from services.members.accounts.networks.commands import ClientAddress, WorkDone, room_for_code
from services.members.accounts.queries import account_with, residents_account
from services.members.people.phones.commands import as_phones, ensure_holder
from services.members.people.phones.model import Phone, for_texts
from services.members.people.phones.queries import PhoneNumber, phone_id, phone_of


class SendCode(Command):
    """The phone to send a code to."""

    phone: PhoneNumber
    work: WorkDone = None


class SendSignInCode(SendCode, FromDevice):
    """The phone to send a code to, and what a device shows that was signed in with it."""


class CodeSent(BaseModel):
    """The same for every phone, known or not."""

    expires_in: int = Field(int(model.LIFE.total_seconds()), description="seconds for which the code is good")
    again_in: int = Field(int(model.PAUSE.total_seconds()), description="seconds after which another may be asked for")


@usecase(allow=PUBLIC)
async def send_code(
    ctx: Context, cmd: SendSignInCode, user_agent: UserAgent = None, address: ClientAddress = None
) -> CodeSent:
    """Have a code sent to your phone, to sign in with; at most one a minute, five an hour and twenty a day.

    Where many were asked for from your network, or in all, a code needs a little work of the page first, or waits.
    """
    number = for_texts(cmd.phone)
    device = await device_of_holder(as_sign_in(ctx), await phone_of(ctx, number), user_agent, cmd)
    async with room_for_code(ctx, address, number, cmd.work):
        held = await ensure_holder(as_phones(ctx, "phone"), number)
        await issue_code(as_sign_in(ctx), number, held.holder or "", device)
    return CodeSent()


@usecase(allow=SYSTEM)
async def issue_code(ctx: Context, number: str, person_id: str, device: str | None = None) -> PhoneCode:
    """Make a code for a phone, sealed for this person, who gets a key now, before the first sign-in."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.expect_issuable(code, ctx.now(), device)
        await ctx.vault.mint(person_id, ctx.now())
        digits = f"{secrets.randbelow(10**6):06d}"
        issued = SignInCodeIssued(
            person_id=person_id,
            phone=ctx.vault.seal(number, person_id, "phone"),
            code=ctx.vault.seal(digits, person_id, "code"),
            expires_at=ctx.now() + model.LIFE,
            language=ctx.language,
            code_hash=_code_hash(ctx, number, digits),
            device=device,
        )
        model.issue(code, issued, ctx.now())
    return code


@usecase(allow=SYSTEM)
async def weigh_code(ctx: Context, number: str, digits: str, device: str | None = None) -> PhoneCode:
    """Check the code of a phone without using it up; a wrong one is counted."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        with _counted(device):
            model.weigh(code, _code_hash(ctx, number, digits), ctx.now(), device)
    return code


@usecase(allow=SYSTEM)
async def accept_code(ctx: Context, number: str, digits: str, device: str | None = None) -> PhoneCode:
    """Use up the right code of a phone."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.accept(code, _code_hash(ctx, number, digits), ctx.now(), device)
    return code


@usecase(allow=SYSTEM)
async def refuse_holder(ctx: Context, number: str, device: str | None, *, named: bool = False) -> PhoneCode:
    """Count a wrong answer to whose phone it is, as a wrong code."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.refuse(code, HolderUnproven(), ctx.now(), device, named=named)
    return code


async def device_of_holder(ctx: Context, phone: Phone | None, agent: str | None, shown: FromDevice) -> str | None:
    """The known device that somebody shows who says to hold this phone; None for a stranger."""
    if shown.device_proof is None:
        return None
    account = await account_with(ctx, residents_account(phone.holder if phone and phone.holder else ""))
    return known_device(ctx, account, agent, shown)


@contextmanager
def _counted(device: str | None) -> Iterator[None]:
    try:
        yield
    except CodeWrong:
        refused.labels("phone", "wrong").inc()
        raise
    except TooManyWrongCodes:
        refused.labels("phone", "device" if device else "strangers").inc()
        raise


def as_sign_in(ctx: Context) -> Context:
    """The same request as the system actor: before signing in, a client is nobody and may see nothing."""
    return replace(ctx, actor=system_actor("sign-in"), if_match=None)


def _id(ctx: Context, number: str) -> str:
    return id_from(PhoneCode.entity_type, phone_id(ctx, number))


def _code_hash(ctx: Context, number: str, digits: str) -> str:
    return ctx.vault.master.blind("sign-in code", f"{phone_id(ctx, number)}|{digits}")
