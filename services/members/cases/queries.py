"""Whether a case is somebody's, by its number and the code that belongs to it."""

import hmac

from services.chassis.domain.paging import Order
from services.chassis.usecase import Context
from services.contracts.requests import tracking
from services.members.cases.model import FiledCase

_BY_ID = Order("_id")


async def is_case_of(ctx: Context, person_id: str, number: str, code: str) -> bool:
    """Whether this number, with its code, is of a case of this person."""
    known = tracking.normal(number)
    if known is None:
        return False
    right = tracking.code_from(ctx.vault.master.blind(tracking.BLIND, known))
    if not hmac.compare_digest(tracking.plain(right), tracking.plain(code)):
        return False
    found = await ctx.store.as_system().find(FiledCase, FiledCase.where(number=known), order=_BY_ID, limit=1)
    return bool(found) and found[0].resident_id == person_id
