"""Who holds a phone: taking, confirming, releasing, handing over. What leads to it is in people and accounts."""

from dataclasses import replace

from services.chassis.domain.scope import SYSTEM, system_actor
from services.chassis.domain.values import id_from
from services.chassis.usecase import Context, usecase
from services.members.people.phones import model
from services.members.people.phones.model import Phone, PhoneEnd
from services.members.people.phones.queries import phone_id


def as_phones(ctx: Context, step: str) -> Context:
    """A step of the same request with a phone, as the system: nobody may see phones, not even their own."""
    return replace(ctx.substep(step), actor=system_actor("phones"))


@usecase(allow=SYSTEM)
async def ensure_holder(ctx: Context, number: str, person_id: str | None = None) -> Phone:
    """Let a phone have a holder: this person, or without one who is yet to come where it has none."""
    async with ctx.store.change_or_create(Phone, phone_id(ctx, number)) as phone:
        model.take(phone, person_id or phone.holder or _newcomer(ctx, phone), ctx.now())
    return phone


@usecase(allow=SYSTEM)
async def confirm(ctx: Context, number: str, person_id: str | None = None) -> Phone:
    """Note that a phone was used by its holder: this person, if nobody holds it, or one who is yet to come."""
    async with ctx.store.change_or_create(Phone, phone_id(ctx, number)) as phone:
        model.take(phone, person_id or phone.holder or _newcomer(ctx, phone), ctx.now())
        model.confirm(phone, ctx.now())
    return phone


@usecase(allow=SYSTEM)
async def release(ctx: Context, number: str, person_id: str) -> Phone:
    """Let a phone belong to nobody, if it is this person's."""
    async with ctx.store.change_or_create(Phone, phone_id(ctx, number)) as phone:
        model.release(phone, person_id, PhoneEnd.CORRECTED, ctx.now())
    return phone


@usecase(allow=SYSTEM)
async def hand_over(ctx: Context, number: str, holder: str, person_id: str | None = None) -> Phone:
    """Give a silent phone to this person, or to one who is yet to come."""
    async with ctx.store.change_or_create(Phone, phone_id(ctx, number)) as phone:
        model.hand_over(phone, holder, person_id or _newcomer(ctx, phone), ctx.now())
    return phone


def _newcomer(ctx: Context, phone: Phone) -> str:
    """The id of who is yet to come."""
    return id_from("person", f"{ctx.cause}|{phone.id}")
