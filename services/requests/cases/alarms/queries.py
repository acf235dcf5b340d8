"""What calls read: the cases that wait for those about another one."""

from services.chassis.domain.paging import Order
from services.chassis.usecase import Context
from services.requests.cases.model import Case
from services.requests.cases.states.model import State

_MOST = 200
_WAITS = (State.NEW, State.VERIFIED, State.DISPATCHED, State.RETURNED)


async def linked_to(ctx: Context, case_id: str) -> list[str]:
    """The ids of the cases that are linked to this one and were not accepted yet, the oldest first."""
    where = Case.where(linked_to=case_id, state={"$in": list(_WAITS)})
    found = await ctx.store.as_system().find(Case, where, order=Order("_id"), limit=_MOST)
    return [case.id for case in sorted(found, key=lambda case: case.filed_at)]
