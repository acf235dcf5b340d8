"""Assigning a case, by hand or by the rules; and the slots that teams reserve for their cases."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Command, Context, usecase
from services.contracts.requests.catalogue import Tier
from services.requests.cases.clocks.queries import calendar_of
from services.requests.cases.dispatch import model, queries
from services.requests.cases.dispatch.model import Choice, Nearby, TeamLoad
from services.requests.cases.model import Case
from services.requests.cases.steps.commands import step
from services.requests.cases.steps.model import Step

Id = Annotated[str, Field(min_length=1, max_length=80)]


class AssignTeam(Command):
    """The volunteer team that is to do it."""

    team_id: Id


class AssignHandler(Command):
    """The station, centre, department or supervising office that is to do it."""

    organisation_id: Id


@step(Step.TEAM)
async def assign_team(ctx: Context, case: Case, cmd: AssignTeam) -> None:
    """Give a case to a volunteer team on duty that has the skill and the room for it."""
    team = await queries.team(ctx, cmd.team_id)
    model.expect_serves(case, team)
    model.expect_able(case, team, Nearby(taken=await queries.taken(ctx, [team])))
    await _assign(ctx, case, Choice.of(Tier.TEAM, team))


@step(Step.HANDLER)
async def assign_handler(ctx: Context, case: Case, cmd: AssignHandler) -> None:
    """Give a case to an organisation that serves its place; a case that came back twice is given for good."""
    office = await queries.organisation(ctx, cmd.organisation_id)
    model.expect_serves(case, office)
    await _assign(ctx, case, model.by_hand(office))


@step(Step.ROUTE)
async def route(ctx: Context, case: Case) -> None:
    """Let the rules find somebody for a case that waits: a team may have come on duty since."""
    await _assign(ctx, case, model.next_one(case, await queries.nearby(ctx, case.area, case)))


@changes(Case, allow=SYSTEM)
async def pass_on(ctx: Context, case: Case, team_id: str) -> None:
    """Give a case that a full team could not take to the next handler."""
    model.pass_on(case, team_id, await queries.nearby(ctx, case.area, case))


@changes(Case, allow=SYSTEM)
async def book(ctx: Context, case: Case, team_id: str) -> None:
    """Say that the team to which a case was given has a slot for it."""
    model.book(case, team_id)


@changes(Case, allow=SYSTEM)
async def ask_dispatcher(ctx: Context, case: Case, team_id: str) -> None:
    """Let a dispatcher decide about a case whose team went off duty."""
    model.ask_dispatcher(case, team_id)


@usecase(allow=SYSTEM)
async def reserve_slot(ctx: Context, team_id: str, case: model.CaseAt) -> TeamLoad:
    """Keep one of a team's slots for a case, or refuse it where all are taken."""
    async with ctx.store.change_or_create(TeamLoad, queries.load_id(team_id)) as load:
        team = await queries.team(ctx, team_id)
        model.reserve(load, team_id, case, team.capacity if team.on_duty else 0)
    return load


@changes(TeamLoad, allow=SYSTEM)
async def free_slot(ctx: Context, load: TeamLoad, case: model.CaseAt) -> None:
    """Let a team have room again: a case left it."""
    model.free(load, case)


async def _assign(ctx: Context, case: Case, choice: Choice) -> None:
    model.assign(case, choice, case.new_respond_by(await calendar_of(ctx, case), ctx.now()))
