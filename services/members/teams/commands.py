"""What can be done with volunteer teams."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.values import shaped
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode
from services.contracts.members.roles import Code, Role
from services.contracts.members.teams import TeamFounded, TeamKind
from services.members.areas import model as areas
from services.members.areas.queries import expect_open
from services.members.people.queries import expect_known
from services.members.teams import model
from services.members.teams.model import Team

Name = Annotated[str, Field(min_length=1, max_length=80)]
Skill = Annotated[
    str, shaped(r"^[a-z][a-z_]{1,39}$", "2 到 40 个小写字母或 _", "2 to 40 small letters or _", examples=["patrol"])
]
PersonId = Annotated[str, Field(min_length=1, max_length=80)]

RUN = (Role.HANDLER, Role.DISPATCHER, Role.ADMINISTRATOR)


class FoundTeam(Command):
    """Volunteers for a place. The same ``code`` again gives the same team, unchanged."""

    code: Annotated[Code | None, Field(examples=["150702001001:public_safety"])] = None
    kind: TeamKind
    name: Name
    name_en: Name | None = None
    area: AreaCode
    skills: Annotated[list[Skill], Field(min_length=1, max_length=20)]
    capacity: Annotated[int, Field(ge=1, le=100, description="how many cases it takes at once")]
    leader: PersonId | None = None
    on_duty: Annotated[bool, Field(description="whether it takes cases at once")] = False


class AppointTeamLeader(Command):
    """Who leads from now on."""

    person: PersonId


@usecase(allow=(Role.ADMINISTRATOR, Role.DISPATCHER))
async def found_team(ctx: Context, cmd: FoundTeam) -> Team:
    """Found a volunteer team for a place of yours; a code that is known gives the team that is there."""
    id = await ctx.store.claim(Team.entity_type, cmd.code or ctx.cause)
    await ctx.store.bind(Team.entity_type, id)
    try:
        async with ctx.store.create(Team, id) as team:
            areas.expect_within(ctx.actor, cmd.area)
            await expect_open(ctx, cmd.area)
            if cmd.leader:
                await expect_known(ctx, cmd.leader)
            team.record(_founded(cmd))
            if cmd.on_duty:
                model.go_on_duty(team)
    except Taken:
        return await ctx.store.get(Team, id)
    return team


@usecase(allow=RUN)
async def add_member(ctx: Context, team_id: str, person_id: str) -> Team:
    """Take a person into a team."""
    async with ctx.store.change(Team, team_id) as team:
        model.expect_run_by(team, ctx.actor)
        await expect_known(ctx, person_id)
        model.join(team, person_id)
    return team


@usecase(allow=RUN)
async def remove_member(ctx: Context, team_id: str, person_id: str) -> Team:
    """Let a person leave a team."""
    async with ctx.store.change(Team, team_id) as team:
        model.expect_run_by(team, ctx.actor)
        model.leave(team, person_id)
    return team


@usecase(allow=(Role.DISPATCHER, Role.ADMINISTRATOR))
async def appoint_team_leader(ctx: Context, team_id: str, cmd: AppointTeamLeader) -> Team:
    """Say who leads a team."""
    async with ctx.store.change(Team, team_id) as team:
        # Not who runs it: a leader who dispatches elsewhere would appoint the next one.
        areas.expect_within(ctx.actor, team.area)
        await expect_known(ctx, cmd.person)
        model.appoint(team, cmd.person)
    return team


@usecase(allow=RUN)
async def put_on_duty(ctx: Context, team_id: str) -> Team:
    """Put a team on duty: it takes cases from now on."""
    async with ctx.store.change(Team, team_id) as team:
        model.expect_run_by(team, ctx.actor)
        model.go_on_duty(team)
    return team


@usecase(allow=RUN)
async def put_off_duty(ctx: Context, team_id: str) -> Team:
    """Take a team off duty: it takes no more cases for now."""
    async with ctx.store.change(Team, team_id) as team:
        model.expect_run_by(team, ctx.actor)
        model.go_off_duty(team)
    return team


def _founded(cmd: FoundTeam) -> TeamFounded:
    return TeamFounded(
        kind=cmd.kind,
        name=cmd.name,
        name_en=cmd.name_en,
        area=cmd.area,
        skills=cmd.skills,
        capacity=cmd.capacity,
        leader_id=cmd.leader,
        code=cmd.code,
    )
