"""Who is on call now for a place: read from the copies as the system actor."""

from dataclasses import replace

from services.chassis.domain.concurrency import gather_two
from services.chassis.domain.paging import Order
from services.chassis.usecase import Context
from services.requests.providers.queries import names
from services.requests.residents.queries import with_phone
from services.requests.rosters import model
from services.requests.rosters.model import OnCall, Roster

_BY_ID = Order("_id")


async def on_call(ctx: Context, area: str, system: str) -> list[OnCall]:
    """Who is on call now at each place from an area up to the city, nearest first."""
    ids = sorted(model.roster_ids(area, system).values())
    rosters = await ctx.store.as_system().find(Roster, {"_id": {"$in": ids}}, order=_BY_ID, limit=len(ids))
    levels = [*model.levels(area, system, rosters, ctx.now())]
    reachable, named = await gather_two(
        with_phone(ctx, model.people(levels)), names(ctx, [level.place for level in levels])
    )
    return [replace(level, reachable=reachable, name=named.get(level.place)) for level in levels]
