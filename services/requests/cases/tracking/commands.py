"""Takes a number for a case."""

from services.chassis.usecase import Context
from services.requests.calendar.queries import zone
from services.requests.cases.model import Case
from services.requests.cases.tracking import model


async def take_number(ctx: Context, case_id: str) -> str:
    """A unique number for a case that is being created: the first one derived from its id that is free."""
    numbers = model.candidates(case_id, ctx.now(), zone(ctx))
    return await ctx.claims.unique(Case, "number", numbers, case_id)
