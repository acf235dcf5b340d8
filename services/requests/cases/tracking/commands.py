"""Takes a number for a case."""

from services.chassis.schedule.calendar import WorkingCalendar
from services.chassis.usecase import Context
from services.requests.cases.tracking import model


async def take_number(ctx: Context, case_id: str) -> str:
    """A unique number: the first one derived from the case's id that is free, or already belongs to the case."""
    for number in model.candidates(case_id, ctx.now(), ctx.dependency(WorkingCalendar).zone):
        if await ctx.store.claim(model.CLAIM, number, case_id) == case_id:
            return number
    raise RuntimeError(f"every number of {case_id} is taken")
