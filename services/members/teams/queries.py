"""Lists and views of volunteer teams."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.words import Words
from services.chassis.storage.filters import Has, Is, Matching, Within
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.teams import TeamKind
from services.members.people.model import STAFF
from services.members.teams import model
from services.members.teams.model import Team


class TeamQuery(PageQuery):
    """Which teams; all filters combine."""

    under: Annotated[AreaCode | None, Within(path), Field(description="serve a place in this area")] = None
    kind: Annotated[TeamKind | None, Is("kind"), Field(description="are of this kind")] = None
    skill: Annotated[
        str | None, Has("skills"), Field(max_length=40, description="have this skill", examples=["patrol"])
    ] = None
    on_duty: Annotated[bool | None, Is("on_duty"), Field(description="are on duty now, or are not")] = None
    q: Annotated[str | None, Matching(), Field(min_length=1, max_length=40, description="have this in their name")] = (
        None
    )


TEAMS = Listing(Team, TeamQuery, leads=("under",))


class TeamView(BaseModel):
    """A team as everybody sees it; who leads it is for staff, who is in it for those who run it."""

    id: str
    code: str | None
    kind: str = Field(examples=["public_safety"])
    name: Words
    area: str = Field(examples=["150702001001"])
    skills: list[str] = Field(examples=[["patrol"]])
    capacity: int = Field(description="how many cases it takes at once")
    on_duty: bool
    member_count: int
    leader: str | None = Field(description="the id of who leads it; null for who is not staff")
    members: list[str] | None = Field(description="the ids of its members; null for who does not run it")

    @classmethod
    def of(cls, team: Team, ctx: Context) -> Self:
        """Nothing personal but ids, and those for staff only."""
        return cls(
            id=team.id,
            code=team.code,
            kind=team.kind,
            name=team.name,
            area=team.area,
            skills=team.skills,
            capacity=team.capacity,
            on_duty=team.on_duty,
            member_count=len(team.members),
            leader=team.leader_id if ctx.actor.has(*STAFF) else None,
            members=team.members if model.is_run_by(team, ctx.actor) else None,
        )


@usecase(allow=PUBLIC)
async def list_teams(ctx: Context, query: TeamQuery) -> Page[Team]:
    """Find volunteer teams by place, kind, skill and whether they are on duty."""
    return await TEAMS.page(ctx.store, query)


@usecase(allow=PUBLIC)
async def get_team(ctx: Context, team_id: str) -> Team:
    """Look at one volunteer team."""
    return await ctx.store.get(Team, team_id)
