"""Founding teams, their members, leaders and duty."""

from typing import Annotated, Any

from pydantic import Field

from services.chassis.domain.values import shaped
from services.chassis.domain.words import GivenName
from services.chassis.guards import changes, named_places, own_places
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.roles import Code, Role
from services.contracts.members.teams import TeamFounded, TeamKind
from services.members.areas.queries import expect_open
from services.members.people.queries import expect_known
from services.members.teams import model
from services.members.teams.model import Team

Skill = Annotated[str, shaped(r"^[a-z][a-z_]{1,39}$", "skill", examples=["patrol"])]
PersonId = Annotated[str, Field(min_length=1, max_length=80)]

RUN = (Role.HANDLER, Role.DISPATCHER, Role.ADMINISTRATOR)


class FoundTeam(Command):
    """Volunteers for a place. The same ``code`` again gives the same team, unchanged."""

    code: Annotated[Code | None, Field(examples=["150702001001:public_safety"])] = None
    kind: TeamKind
    name: GivenName
    area: AreaCode
    skills: Annotated[list[Skill], Field(min_length=1, max_length=20)]
    capacity: Annotated[int, Field(ge=1, le=100, description="how many cases it takes at once")]
    leader: PersonId | None = None
    on_duty: Annotated[bool, Field(description="whether it takes cases at once")] = False

    def places(self) -> tuple[str, ...]:
        """Where it is to help."""
        return path(self.area)


class AppointTeamLeader(Command):
    """Who leads from now on."""

    person: PersonId


@usecase(allow=(Role.ADMINISTRATOR, Role.DISPATCHER), within=named_places)
async def found_team(ctx: Context, cmd: FoundTeam) -> Team:
    """Found a volunteer team for a place of yours; a code that is known gives the team that is there."""
    id = await ctx.claims.claim(Team.entity_type, cmd.code or ctx.cause)
    await ctx.claims.bind(Team.entity_type, id)
    try:
        async with ctx.store.create(Team, id) as team:
            await expect_open(ctx, cmd.area)
            if cmd.leader:
                await expect_known(ctx, cmd.leader)
            team.record(_founded(cmd))
            if cmd.on_duty:
                model.go_on_duty(team)
    except Taken:
        return await ctx.store.get(Team, id)
    return team


async def _run_by(ctx: Context, team: Team, _: Any) -> None:
    """Its leader, and who dispatches or administers in its place."""
    model.expect_run_by(team, ctx.actor)


@changes(Team, allow=RUN, within=_run_by)
async def add_member(ctx: Context, team: Team, person_id: str) -> None:
    """Take a person into a team."""
    await expect_known(ctx, person_id)
    model.join(team, person_id)


@changes(Team, allow=RUN, within=_run_by)
async def remove_member(ctx: Context, team: Team, person_id: str) -> None:
    """Let a person leave a team."""
    model.leave(team, person_id)


# Not ``_run_by``: a leader who dispatches elsewhere would appoint the next one.
@changes(Team, allow=(Role.DISPATCHER, Role.ADMINISTRATOR), within=own_places)
async def appoint_team_leader(ctx: Context, team: Team, cmd: AppointTeamLeader) -> None:
    """Say who leads a team."""
    await expect_known(ctx, cmd.person)
    model.appoint(team, cmd.person)


@changes(Team, allow=RUN, within=_run_by)
async def put_on_duty(ctx: Context, team: Team) -> None:
    """Put a team on duty: it takes cases from now on."""
    model.go_on_duty(team)


@changes(Team, allow=RUN, within=_run_by)
async def put_off_duty(ctx: Context, team: Team) -> None:
    """Take a team off duty: it takes no more cases for now."""
    model.go_off_duty(team)


def _founded(cmd: FoundTeam) -> TeamFounded:
    return TeamFounded(
        kind=cmd.kind,
        name=cmd.name.words(),
        area=cmd.area,
        skills=cmd.skills,
        capacity=cmd.capacity,
        leader_id=cmd.leader,
        code=cmd.code,
    )
