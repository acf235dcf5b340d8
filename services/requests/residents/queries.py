"""Names and phones in clear."""

from collections.abc import Collection
from typing import NamedTuple

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.values import Sealed
from services.chassis.usecase import Context
from services.requests.residents.model import Person


class Contact(NamedTuple):
    """Whom to ring; None for what is not known, or was erased."""

    name: str | None = None
    phone: str | None = None


async def contact(ctx: Context, person_id: str) -> Contact:
    """How to reach a person. The caller decides who may know it; the audit log notes it."""
    try:
        person = await ctx.store.as_system().get(Person, person_id)
    except NotFound:
        return Contact()
    if person_id in await ctx.vault.prefetch_keys([person_id]):
        return Contact()

    def opened(sealed: Sealed | None, kind: str) -> str | None:
        return None if sealed is None else ctx.vault.open(sealed, person_id, kind)

    return Contact(opened(person.name, "name"), opened(person.phone, "phone"))


async def is_voice_only(ctx: Context, person_id: str) -> bool:
    """Whether text messages do not reach a person; not of one of whom nothing is known here yet."""
    try:
        return (await ctx.store.as_system().get(Person, person_id)).voice_only
    except NotFound:
        return False


async def with_phone(ctx: Context, people: Collection[str]) -> frozenset[str]:
    """Those of these people who have a phone that takes text messages."""
    if not people:
        return frozenset()
    where = {"_id": {"$in": sorted(people)}} | Person.where(phone={"$ne": None}, voice_only=False)
    found = await ctx.store.as_system().find(Person, where, order=Order("_id"), limit=len(people))
    return frozenset(person.id for person in found)
