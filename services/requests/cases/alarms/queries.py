"""What calls read: the cases that wait for those about another one."""

from services.chassis.domain.paging import Order
from services.chassis.usecase import Context
from services.requests.cases.model import Case
from services.requests.cases.states.model import State

_AT_ONCE = 200
_WAITS = (State.NEW, State.VERIFIED, State.DISPATCHED, State.RETURNED)


async def linked_to(ctx: Context, case_id: str) -> list[Case]:
    """The cases that are linked to this one and were not accepted yet, all of them, in the order of filing."""
    where, store = Case.where(linked_to=case_id, state={"$in": list(_WAITS)}), ctx.store.as_system()
    found: list[Case] = []
    while True:
        beyond = where | {"_id": {"$gt": found[-1].id}} if found else where
        some = await store.find(Case, beyond, order=Order("_id"), limit=_AT_ONCE)
        found += some
        if len(some) < _AT_ONCE:
            return sorted(found, key=lambda case: case.filed_at)
