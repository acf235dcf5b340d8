"""Finding who holds a phone."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.refusals import NotFound
from services.chassis.usecase import Context
from services.members.people.phones.model import Phone

PhoneNumber = Annotated[str, Field(max_length=30, examples=["13800000001"])]


def phone_id(ctx: Context, number: str) -> str:
    """The id of a phone, by its E.164 number: the number itself is nowhere in clear."""
    return f"{Phone.entity_type}_{ctx.vault.master.blind('phone', number)}"


async def phone_of(ctx: Context, number: str) -> Phone | None:
    """A phone, or None if nobody ever had to do with it."""
    try:
        return await ctx.store.as_system().get(Phone, phone_id(ctx, number))
    except NotFound:
        return None
