"""Sending a code to a phone, and checking one."""

import secrets
from dataclasses import replace

from pydantic import BaseModel, Field

from services.chassis.domain.scope import PUBLIC, SYSTEM, system_actor
from services.chassis.domain.values import id_from
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.codes import model
from services.members.accounts.codes.model import PhoneCode
from services.members.people.commands import id_for_phone
from services.members.people.model import e164
from services.members.people.queries import Phone


class SendCode(Command):
    """The phone to send a code to."""

    phone: Phone


class CodeSent(BaseModel):
    """The same for every phone, known or not."""

    expires_in: int = Field(int(model.LIFE.total_seconds()), description="seconds for which the code is good")
    again_in: int = Field(int(model.PAUSE.total_seconds()), description="seconds after which another may be asked for")


@usecase(allow=PUBLIC)
async def send_code(ctx: Context, cmd: SendCode) -> CodeSent:
    """Have a code sent to your phone, to sign in with; at most one a minute, five an hour and twenty a day."""
    phone = e164(cmd.phone)
    await issue_code(as_sign_in(ctx), await id_for_phone(ctx, phone), phone)
    return CodeSent()


@usecase(allow=SYSTEM)
async def issue_code(ctx: Context, person_id: str, phone: str) -> PhoneCode:
    """Make a code for a phone. The owner of the phone gets a key now, before the first sign-in."""
    async with ctx.store.change_or_create(PhoneCode, _id(person_id)) as code:
        model.expect_issuable(code, ctx.now())
        await ctx.vault.mint(person_id, ctx.now())
        digits = f"{secrets.randbelow(10**6):06d}"
        issued = SignInCodeIssued(
            person_id=person_id,
            phone=ctx.vault.seal(phone, person_id, "phone"),
            code=ctx.vault.seal(digits, person_id, "code"),
            expires_at=ctx.now() + model.LIFE,
            language=ctx.language,
            code_hash=_code_hash(ctx, person_id, digits),
        )
        model.issue(code, issued, ctx.now())
    return code


@usecase(allow=SYSTEM)
async def weigh_code(ctx: Context, person_id: str, digits: str) -> PhoneCode:
    """Check a code without using it up; a wrong one is counted."""
    async with ctx.store.change_or_create(PhoneCode, _id(person_id)) as code:
        model.weigh(code, _code_hash(ctx, person_id, digits), ctx.now())
    return code


@usecase(allow=SYSTEM)
async def accept_code(ctx: Context, person_id: str, digits: str) -> PhoneCode:
    """Use up the right code."""
    async with ctx.store.change_or_create(PhoneCode, _id(person_id)) as code:
        model.accept(code, _code_hash(ctx, person_id, digits), ctx.now())
    return code


def as_sign_in(ctx: Context) -> Context:
    """The same request as the system actor: before signing in, a client is nobody and may see nothing."""
    return replace(ctx, actor=system_actor("sign-in"), if_match=None)


def _id(person_id: str) -> str:
    return id_from(PhoneCode.entity_type, person_id)


def _code_hash(ctx: Context, person_id: str, digits: str) -> str:
    return ctx.vault.master.blind("sign-in code", f"{person_id}|{digits}")
