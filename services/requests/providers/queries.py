"""Who serves a place: read from the copies as the system actor."""

import asyncio
from collections.abc import Collection
from typing import Any, TypeVar

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.words import Words
from services.chassis.usecase import Context
from services.contracts.members.areas import Level, enclosing, path
from services.contracts.members.teams import is_team
from services.requests.providers import model
from services.requests.providers.model import AreaCopy, EscalationLevel, Organisation, Team

T = TypeVar("T", Organisation, Team)

_BY_ID = Order("_id")
_MOST = 100
_HIGHEST = 8


async def fileable(ctx: Context, code: str, at: tuple[float, float] | None = None) -> AreaCopy:
    """The open community or grid of this code; AreaUnknown, AreaNoLonger, AreaTooWide.

    ``at``: a position (latitude, longitude) that must lie there: PositionElsewhere.
    """
    above = [*path(code)]
    known = await ctx.reference.find(AreaCopy, {"_id": {"$in": above}}, order=_BY_ID, limit=len(above))
    place = model.fileable(code, known)
    if at is not None:
        model.expect_within(known, *at)
    return place


async def place(ctx: Context, code: str) -> AreaCopy | None:
    """One area, or None if it is unknown."""
    return next(iter(await ctx.reference.find(AreaCopy, {"_id": code}, order=_BY_ID, limit=1)), None)


async def names(ctx: Context, codes: Collection[str]) -> dict[str, Words]:
    """The names of these areas by their codes, of those that are known."""
    if not codes:
        return {}
    known = await ctx.reference.find(AreaCopy, {"_id": {"$in": sorted(codes)}}, order=_BY_ID, limit=len(codes))
    return {place.id: place.name for place in known}


async def organisation(ctx: Context, id: str) -> Organisation | None:
    """One organisation, or None if it is unknown."""
    return await _maybe(ctx, Organisation, id)


async def team(ctx: Context, id: str) -> Team | None:
    """One volunteer team, or None if it is unknown."""
    return await _maybe(ctx, Team, id)


async def offices(ctx: Context, area: str, department: str | None) -> list[Organisation]:
    """The organisations of the community, its sub-district, county and city; of the departments only the named one."""
    places = [enclosing(area, level) for level in (Level.COMMUNITY, Level.SUB_DISTRICT, Level.COUNTY, Level.CITY)]
    where = Organisation.where(area={"$in": places}, department={"$in": [None, department]}, gone=False)
    return await ctx.reference.find(Organisation, where, order=_BY_ID, limit=_MOST)


async def teams_near(ctx: Context, area: str, kind: str | None, skill: str | None) -> list[Team]:
    """The suitable volunteer teams on duty, nearest first: in the sub-district, or the county's and the city's own."""
    able = Team.where(on_duty=True, gone=False)
    able |= (Team.where(kind=kind) if kind else {}) | (Team.where(skills=skill) if skill else {})
    wide = [enclosing(area, Level.COUNTY), enclosing(area, Level.CITY)]
    # The community separately: a sub-district may have more teams than are read, and the nearest come first.
    scopes = ({"under": enclosing(area, Level.COMMUNITY)}, {"under": enclosing(area, Level.SUB_DISTRICT)})
    found = await asyncio.gather(*(_teams(ctx, able | scope) for scope in (*scopes, Team.where(area={"$in": wide}))))
    teams = {team.id: team for some in found for team in some}
    return sorted(teams.values(), key=lambda team: -len({*team.places()} & {*path(area)}))


async def escalation_path(ctx: Context, area: str, handler_id: str | None) -> tuple[EscalationLevel, ...]:
    """The escalation path of a case, from the organisations above its handler and from its place."""
    chain, known = await asyncio.gather(_above(ctx, handler_id), offices(ctx, area, None))
    return model.escalation_path(area, chain, known)


async def taking(ctx: Context, area: str) -> Organisation | None:
    """The organisation that gets a case there when the actor accepts it, who was called about it."""
    ids = [id for id in ctx.actor.organisations if not is_team(id)]
    own, levels = await asyncio.gather(
        asyncio.gather(*(organisation(ctx, id) for id in ids)), escalation_path(ctx, area, None)
    )
    return model.taking(area, [office for office in own if office is not None], levels)


async def _above(ctx: Context, id: str | None) -> list[Organisation]:
    found: list[Organisation] = []
    one = await organisation(ctx, id) if id else None
    while one is not None and one.above and len(found) < _HIGHEST:
        one = await organisation(ctx, one.above)
        if one is not None:
            found.append(one)
    return found


async def _teams(ctx: Context, where: dict[str, Any]) -> list[Team]:
    return await ctx.store.as_system().find(Team, where, order=_BY_ID, limit=_MOST)


async def _maybe(ctx: Context, kind: type[T], id: str) -> T | None:
    try:
        return await ctx.store.as_system().get(kind, id)
    except NotFound:
        return None
