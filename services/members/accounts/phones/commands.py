"""Correcting a phone: the old number belongs to nobody, the new one to this person, who hears of it by the old one."""

from datetime import timedelta

from pydantic import Field

from services.chassis.domain.values import Sealed
from services.chassis.guards import changes, oneself, visible
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.accounts import SessionEnd
from services.contracts.members.people import PhoneChanged
from services.contracts.members.roles import Role
from services.members.accounts.codes.commands import CodeSent, SendCode, accept_code, as_sign_in, issue_code, weigh_code
from services.members.accounts.networks.commands import ClientAddress, room_for_code
from services.members.accounts.queries import residents_account
from services.members.accounts.sessions.commands import Digits, end_sessions
from services.members.people.commands import Reason, lose_phone, with_phone
from services.members.people.model import Person
from services.members.people.phones.commands import as_phones, confirm, release
from services.members.people.phones.model import PhoneElsewhere, e164, for_texts, takes_texts
from services.members.people.phones.queries import PhoneNumber, phone_of
from services.members.people.queries import Clear, is_known, is_silent

_TEXTED_FOR = timedelta(days=1)
"""How long a text message to the old number is tried."""


class ChangePhone(Command):
    """Your new number, and the code that came to it."""

    phone: PhoneNumber
    code: Digits


class CorrectPhone(Command):
    """Whose number it is not any more, and the right one, where it is known; and by what that is known."""

    phone: PhoneNumber | None = Field(None, description="left out or null: they have no phone that is known")
    reason: Reason


@usecase(allow=tuple(Role))
async def send_code_to_new_phone(ctx: Context, cmd: SendCode, address: ClientAddress = None) -> CodeSent:
    """Have a code sent to your new phone, to change your number."""
    number = for_texts(cmd.phone)
    async with room_for_code(ctx, address, number, cmd.work):
        await issue_code(as_sign_in(ctx), number, ctx.person)
    return CodeSent()


@usecase(allow=tuple(Role), within=oneself)
async def change_phone(ctx: Context, cmd: ChangePhone) -> Person:
    """Change your own number, with the code that came to the new one; the old one is nobody's then.

    The old one gets a text message, and your other sessions end.
    """
    number = for_texts(cmd.phone)
    async with ctx.store.change(Person, ctx.person) as person:
        await ctx.vault.ensure_keys(person.subjects())
        before = Clear.of(person, ctx).phone
        if number != before:
            await weigh_code(as_sign_in(ctx).substep("weighed"), number, cmd.code)
            await _move(ctx, person.id, before, number)
            await end_sessions(ctx, residents_account(person.id), SessionEnd.PHONE_CHANGED, but=ctx.actor.session)
            await accept_code(as_sign_in(ctx).substep("accepted"), number, cmd.code)
            _record(ctx, person, before, number)
    return person


@changes(Person, allow=Role.OPERATOR, within=visible)
async def correct_phone(ctx: Context, person: Person, cmd: CorrectPhone) -> None:
    """Correct a number, or take it from who no longer has it; it gets a text message, and their sessions end."""
    number = None if cmd.phone is None else e164(cmd.phone)
    await ctx.vault.ensure_keys(person.subjects())
    before = Clear.of(person, ctx).phone
    if number != before:
        await _move(ctx, person.id, before, number)
        await end_sessions(ctx, residents_account(person.id), SessionEnd.PHONE_LOST)
        _record(ctx, person, before, number, ctx.vault.seal(cmd.reason, person.id, "reason"))


def _record(ctx: Context, person: Person, before: str | None, number: str | None, reason: Sealed | None = None) -> None:
    """Record the new profile, and that the number was another one before."""
    texted = ctx.vault.seal(before, person.id, "phone") if before is not None and takes_texts(before) else None
    person.record(with_phone(ctx, person, number, reason))
    person.record(PhoneChanged(person_id=person.id, phone=texted, expires_at=ctx.now() + _TEXTED_FOR))


async def _move(ctx: Context, person_id: str, before: str | None, number: str | None) -> None:
    """Take the new number, then release the old one: after a break in between, a repeat does the rest."""
    if number is not None:
        await _take(ctx, person_id, number)
    if before is not None:
        await release(as_phones(ctx, "released"), before, person_id)


async def _take(ctx: Context, person_id: str, number: str) -> None:
    """Give a number to a person; PhoneElsewhere where somebody else used it of late."""
    phone = await phone_of(ctx, number)
    holder = phone.holder if phone else None
    if phone and holder and holder != person_id:
        if await is_known(ctx, holder):
            if not is_silent(ctx, phone):
                raise PhoneElsewhere
            await end_sessions(ctx, residents_account(holder), SessionEnd.PHONE_LOST)
        await lose_phone(ctx, number, holder, person_id)
    await confirm(as_phones(ctx, "confirmed"), number, person_id)
