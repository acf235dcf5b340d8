"""What dispatch reads before it decides."""

import asyncio

from services.chassis.domain.paging import Order
from services.chassis.domain.values import id_from
from services.chassis.usecase import Context
from services.contracts.requests.catalogue import Tier
from services.requests.cases.dispatch.model import HandlerUnknown, Nearby, TeamLoad
from services.requests.cases.model import Case
from services.requests.catalogue.model import Item
from services.requests.providers import queries as providers
from services.requests.providers.model import Organisation, Team

_BY_ID = Order("_id")


async def nearby(ctx: Context, area: str, wanted: Case | Item) -> Nearby:
    """The possible handlers near a place for what is wanted; teams only if the item is for teams."""
    teams = await providers.teams_near(ctx, area, wanted.team_kind, wanted.skill) if Tier.TEAM in wanted.tiers else []
    offices, loads = await asyncio.gather(providers.offices(ctx, area, wanted.department), taken(ctx, teams))
    return Nearby(offices, teams, loads)


async def taken(ctx: Context, teams: list[Team]) -> dict[str, int]:
    """How many cases each of these teams has."""
    if not teams:
        return {}
    where = {"_id": {"$in": [load_id(team.id) for team in teams]}}
    loads = await ctx.store.as_system().find(TeamLoad, where, order=_BY_ID, limit=len(teams))
    return {load.team_id: len(load.cases) for load in loads}


async def organisation(ctx: Context, id: str) -> Organisation:
    """The organisation of this id; HandlerUnknown."""
    found = await providers.organisation(ctx, id)
    if found is None:
        raise HandlerUnknown(handler=id)
    return found


async def team(ctx: Context, id: str) -> Team:
    """The team of this id; HandlerUnknown."""
    found = await providers.team(ctx, id)
    if found is None:
        raise HandlerUnknown(handler=id)
    return found


async def holding(ctx: Context, case_id: str) -> TeamLoad | None:
    """The load with a slot for a case."""
    found = await ctx.store.as_system().find(TeamLoad, TeamLoad.where(cases=case_id), order=_BY_ID, limit=1)
    return found[0] if found else None


async def cases_of(ctx: Context, team_id: str) -> list[str]:
    """The cases that a team has."""
    found = await ctx.store.as_system().find(TeamLoad, {"_id": load_id(team_id)}, order=_BY_ID, limit=1)
    return found[0].cases if found else []


def load_id(team_id: str) -> str:
    """The id of a team's load."""
    return id_from(TeamLoad.entity_type, team_id)
