"""Who serves a place: looked up in the copies, with the eyes of the house."""

import asyncio
from typing import TypeVar

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import NotFound
from services.chassis.usecase import Context
from services.contracts.members import Level
from services.requests.providers import model
from services.requests.providers.model import Organisation, Place, Rung, Team

T = TypeVar("T", Place, Organisation, Team)

_BY_ID = Order("_id")
_MOST = 100
_HIGHEST = 8


async def fileable(ctx: Context, code: str) -> Place:
    """The open community or grid of this code; AreaUnknown, AreaNoLonger, AreaTooWide."""
    place = await _maybe(ctx, Place, code)
    model.expect_fileable(place, code)
    assert place is not None
    return place


async def organisation(ctx: Context, id: str) -> Organisation | None:
    """One organisation, None where members told of none."""
    return await _maybe(ctx, Organisation, id)


async def team(ctx: Context, id: str) -> Team | None:
    """One volunteer team, None where members told of none."""
    return await _maybe(ctx, Team, id)


async def offices(ctx: Context, area: str, department: str | None) -> list[Organisation]:
    """Those who serve the community, its sub-district, county and city; of the departments only the one named."""
    places = [model.part(area, level) for level in (Level.COMMUNITY, Level.SUB_DISTRICT, Level.COUNTY, Level.CITY)]
    where = {"state.area": {"$in": places}, "state.department": {"$in": [None, department]}, "state.gone": False}
    return await ctx.store.as_house().find(Organisation, where, order=_BY_ID, limit=_MOST)


async def teams_near(ctx: Context, area: str) -> list[Team]:
    """The volunteer teams on duty in the sub-district, those of the community first."""
    where = {"under": model.part(area, Level.SUB_DISTRICT), "state.on_duty": True, "state.gone": False}
    found = await ctx.store.as_house().find(Team, where, order=_BY_ID, limit=_MOST)
    community = model.part(area, Level.COMMUNITY)
    return sorted(found, key=lambda team: community not in team.places())


async def ladder(ctx: Context, area: str, handler_id: str | None) -> tuple[Rung, ...]:
    """The rungs that a case of this place climbs, by what stands above its handler and by its place."""
    chain, known = await asyncio.gather(_above(ctx, handler_id), offices(ctx, area, None))
    return model.ladder(area, chain, known)


async def _above(ctx: Context, id: str | None) -> list[Organisation]:
    found: list[Organisation] = []
    one = await organisation(ctx, id) if id else None
    while one is not None and one.above and len(found) < _HIGHEST:
        one = await organisation(ctx, one.above)
        if one is not None:
            found.append(one)
    return found


async def _maybe(ctx: Context, kind: type[T], id: str) -> T | None:
    try:
        return await ctx.store.as_house().get(kind, id)
    except NotFound:
        return None
