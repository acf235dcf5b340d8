"""The call to a volunteer: where help is needed, with what, until when, and whom to ring; nothing more."""

from typing import Any, Self

from pydantic import BaseModel, Field

from services.chassis.domain.concurrency import gather_two
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role
from services.requests.cases.model import Case
from services.requests.cases.queries import DUE, PAUSED, answers_of, opened, position_of
from services.requests.cases.states.model import HELD
from services.requests.providers import queries as providers
from services.requests.providers.model import AreaCopy
from services.requests.residents.queries import Contact, contact


class CallView(BaseModel):
    """A request, as far as a volunteer of the team that has it needs to know it to help."""

    id: str
    number: str = Field(examples=["261123-7K3QX-4"])
    item_name: Words
    title: str | None = Field(description="null where its words are forgotten; so are all of them")
    text: str | None
    answers: dict[str, Any] | None = Field(description="to the questions of the item's form")
    area: str
    area_name: Words | None
    address: str | None
    latitude: float | None
    longitude: float | None
    due_at: Instant = Field(description=DUE)
    paused_until: Instant | None = Field(description=PAUSED)
    team: Words | None
    name: str | None = Field(description="whom to ring; null where it is not known", examples=["王强"])
    phone: str | None = Field(examples=["+8613800000001"])

    @classmethod
    def of(cls, case: Case, place: AreaCopy | None, whom: Contact, ctx: Context) -> Self:
        """In clear."""
        latitude, longitude = position_of(ctx, case)
        return cls(
            id=case.id,
            number=case.number,
            item_name=case.item_name,
            title=opened(ctx, case, "title", case.title),
            text=opened(ctx, case, "text", case.text),
            answers=answers_of(ctx, case),
            area=case.area,
            area_name=place and place.name,
            address=opened(ctx, case, "address", case.address),
            latitude=latitude,
            longitude=longitude,
            due_at=case.due_at,
            paused_until=case.paused_until,
            team=case.handler_name,
            name=whom.name,
            phone=whom.phone,
        )


@usecase(allow=(Role.RESIDENT, Role.HANDLER))
async def get_call(ctx: Context, case_id: str) -> CallView:
    """See what helping needs, as a member of the volunteer team that has a request, for as long as it has it."""
    case = await ctx.store.as_system().get(Case, case_id)
    team = await providers.team(ctx, case.handler_id) if case.announced and case.handler_id else None
    if case.state not in HELD or team is None or not team.is_called(ctx.actor):
        raise NotFound
    place, whom = await gather_two(providers.place(ctx, case.area), contact(ctx, case.resident_id))
    return CallView.of(case, place, whom, ctx)
