"""Sending a code to a phone, and checking one."""

import secrets
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field

from services.chassis.domain.scope import PUBLIC, SYSTEM, system_actor
from services.chassis.domain.values import id_from, shaped
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.codes import model
from services.members.accounts.codes.model import HolderUnproven, PhoneCode
from services.members.accounts.networks.commands import ClientAddress, room_for_code
from services.members.people.phones.commands import as_phones, ensure_holder
from services.members.people.phones.model import for_texts
from services.members.people.phones.queries import PhoneNumber, phone_id


class SendCode(Command):
    """The phone to send a code to."""

    phone: PhoneNumber
    work: Annotated[
        str | None,
        shaped(
            r"^[0-9]{1,2}\.[0-9]{1,11}\.[0-9a-f]{1,64}\.[0-9]{1,20}$",
            "work-done",
            description="asked for where many codes were asked for (429 `work-or-wait`): the `challenge` of its "
            "`params`, a dot, and a number such that the SHA-256 of all that begins with `bits` zero bits",
        ),
    ] = None


class CodeSent(BaseModel):
    """The same for every phone, known or not."""

    expires_in: int = Field(int(model.LIFE.total_seconds()), description="seconds for which the code is good")
    again_in: int = Field(int(model.PAUSE.total_seconds()), description="seconds after which another may be asked for")


@usecase(allow=PUBLIC)
async def send_code(ctx: Context, cmd: SendCode, address: ClientAddress = None) -> CodeSent:
    """Have a code sent to your phone, to sign in with; at most one a minute, five an hour and twenty a day.

    Where many were asked for from your network, or in all, a code needs a little work of the page first, or waits.
    """
    number = for_texts(cmd.phone)
    async with room_for_code(ctx, address, number, cmd.work):
        held = await ensure_holder(as_phones(ctx, "phone"), number)
        await issue_code(as_sign_in(ctx), number, held.holder or "")
    return CodeSent()


@usecase(allow=SYSTEM)
async def issue_code(ctx: Context, number: str, person_id: str) -> PhoneCode:
    """Make a code for a phone, sealed for this person, who gets a key now, before the first sign-in."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.expect_issuable(code, ctx.now())
        await ctx.vault.mint(person_id, ctx.now())
        digits = f"{secrets.randbelow(10**6):06d}"
        issued = SignInCodeIssued(
            person_id=person_id,
            phone=ctx.vault.seal(number, person_id, "phone"),
            code=ctx.vault.seal(digits, person_id, "code"),
            expires_at=ctx.now() + model.LIFE,
            language=ctx.language,
            code_hash=_code_hash(ctx, number, digits),
        )
        model.issue(code, issued, ctx.now())
    return code


@usecase(allow=SYSTEM)
async def weigh_code(ctx: Context, number: str, digits: str) -> PhoneCode:
    """Check the code of a phone without using it up; a wrong one is counted."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.weigh(code, _code_hash(ctx, number, digits), ctx.now())
    return code


@usecase(allow=SYSTEM)
async def accept_code(ctx: Context, number: str, digits: str) -> PhoneCode:
    """Use up the right code of a phone."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.accept(code, _code_hash(ctx, number, digits), ctx.now())
    return code


@usecase(allow=SYSTEM)
async def refuse_holder(ctx: Context, number: str, *, named: bool = False) -> PhoneCode:
    """Count a wrong answer to whose phone it is, as a wrong code."""
    async with ctx.store.change_or_create(PhoneCode, _id(ctx, number)) as code:
        model.refuse(code, HolderUnproven(), ctx.now(), named=named)
    return code


def as_sign_in(ctx: Context) -> Context:
    """The same request as the system actor: before signing in, a client is nobody and may see nothing."""
    return replace(ctx, actor=system_actor("sign-in"), if_match=None)


def _id(ctx: Context, number: str) -> str:
    return id_from(PhoneCode.entity_type, phone_id(ctx, number))


def _code_hash(ctx: Context, number: str, digits: str) -> str:
    return ctx.vault.master.blind("sign-in code", f"{phone_id(ctx, number)}|{digits}")
