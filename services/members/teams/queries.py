"""How volunteer teams are found."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode
from services.contracts.members.teams import TeamKind
from services.members.people.model import STAFF
from services.members.teams import model
from services.members.teams.model import Team


class TeamQuery(PageQuery):
    """Which teams; the four filters combine."""

    under: Annotated[AreaCode | None, Field(description="serve a place in this area")] = None
    kind: Annotated[TeamKind | None, Field(description="are of this kind")] = None
    skill: Annotated[str | None, Field(max_length=40, description="have this skill", examples=["patrol"])] = None
    on_duty: Annotated[bool | None, Field(description="are on duty now, or are not")] = None


class TeamView(BaseModel):
    """A team as everybody sees it; who leads it is for staff, who is in it for those who run it."""

    id: str
    code: str | None
    kind: str = Field(examples=["public_safety"])
    name: str
    name_en: str | None
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
            name_en=team.name_en,
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
    given: dict[str, Any] = {
        "under": query.under,
        "state.kind": query.kind and query.kind.value,
        "state.skills": query.skill,
        "state.on_duty": query.on_duty,
    }
    where = {field: value for field, value in given.items() if value is not None}
    return await ctx.store.page(Team, where, order=Order("_id"), limit=query.limit, after=query.after)


@usecase(allow=PUBLIC)
async def get_team(ctx: Context, team_id: str) -> Team:
    """Look at one volunteer team."""
    return await ctx.store.get(Team, team_id)
