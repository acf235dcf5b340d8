"""What dispatch needs to know before it decides."""

from services.chassis.domain.paging import Order
from services.chassis.domain.values import id_from
from services.chassis.usecase import Context
from services.contracts.requests import Tier
from services.requests.cases.model import Case
from services.requests.dispatch.model import HandlerUnknown, Nearby, TeamLoad
from services.requests.providers import queries as providers
from services.requests.providers.model import Organisation, Team

_BY_ID = Order("_id")
_MOST = 100


async def nearby(ctx: Context, case: Case) -> Nearby:
    """Who serves the place of a case; teams only where its item is one for teams."""
    offices = await providers.offices(ctx, case.area, case.department)
    teams = await providers.teams_near(ctx, case.area, case.team_kind, case.skill) if Tier.TEAM in case.tiers else []
    return Nearby(offices, teams, await taken(ctx, teams))


async def taken(ctx: Context, teams: list[Team]) -> dict[str, int]:
    """How many cases each of these teams has."""
    if not teams:
        return {}
    where = {"_id": {"$in": [load_id(team.id) for team in teams]}}
    loads = await ctx.store.as_house().find(TeamLoad, where, order=_BY_ID, limit=_MOST)
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
    """The load in which a case has a slot."""
    found = await ctx.store.as_house().find(TeamLoad, {"state.cases": case_id}, order=_BY_ID, limit=1)
    return found[0] if found else None


def load_id(team_id: str) -> str:
    """The id of a team's load."""
    return id_from(TeamLoad.kind, team_id)
