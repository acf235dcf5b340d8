"""Cases as strangers see them: the item, about where, the state and the day; no words."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.spelling import TYPED
from services.chassis.domain.words import Words
from services.chassis.storage.filters import Is
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import Level, enclosing
from services.contracts.members.roles import Role
from services.requests.calendar.queries import zone
from services.requests.cases.following import model
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN
from services.requests.catalogue.queries import offered
from services.requests.providers import queries as providers

_MOST = 5
_ALONG = "under_1_state.item_1_state.state_1_state.overdue_1_state.filed_at_1__id_1"
"""The index of the list of cases by place and item; without it there would be no answer."""
_NEWEST = Order(Case.stored_name("filed_at"), descending=True)


class AlikeQuery(BaseModel):
    """What is about to be asked for, and where."""

    model_config = ConfigDict(extra="forbid")

    item: Annotated[str, Field(max_length=64, description="code of the service item")]
    area: Annotated[str, TYPED, Field(max_length=20, description="code of the community or grid")]


class FollowedQuery(PageQuery):
    """Whose."""

    follower: Annotated[str, Is("followers")]


FOLLOWED = Listing(
    Case,
    FollowedQuery,
    leads=("handler_id", "under"),
    few=("followers", "resident_id"),
    order="-filed_at",
)


class AlikeView(BaseModel):
    """A request of somebody else: as much as a stranger may know."""

    id: str = Field(description="to follow it, see /v1/requests/{id}/follow")
    item: str
    item_name: Words
    area: str = Field(description="the community in which it lies, no nearer", examples=["150702001001"])
    area_name: Words | None
    state: str
    state_name: Words
    filed_on: date = Field(description="the day in the city")
    followers: int | None = Field(description="how many follow it; null where they are fewer than three")

    @classmethod
    def of(cls, case: Case, name: Words | None, ctx: Context) -> Self:
        """No words of it, and nobody's name."""
        return cls(
            id=case.id,
            item=case.item,
            item_name=case.item_name,
            area=_coarse(case),
            area_name=name,
            state=case.state,
            state_name=ctx.container.texts.words("states", case.state),
            filed_on=case.filed_at.astimezone(zone(ctx)).date(),
            followers=model.shown(len(case.followers)),
        )


@usecase(allow=(Role.RESIDENT, Role.OPERATOR))
async def list_alike(ctx: Context, query: AlikeQuery) -> Page[AlikeView]:
    """See whether others asked for the same there lately, before you ask: up to five that are open, the newest first.

    Empty where the item is nobody else's business. What its resident declined to show is not among them.
    """
    item = await offered(ctx, query.item)
    place = await providers.fileable(ctx, query.area)
    if not item.followable:
        return Page([])
    like = Case.where(
        item=item.id,
        state={"$in": sorted(OPEN)},
        overdue={"$in": [False, True]},  # as the index has them
        filed_at={"$gte": ctx.now() - model.ALIKE},
        followable=True,
        resident_id={"$ne": ctx.actor.person},
    )
    there = {"under": enclosing(place.id, Level.COMMUNITY), **like}
    found = await ctx.store.as_system().find(Case, there, order=_NEWEST, limit=_MOST, hint=_ALONG)
    return Page(await views(ctx, found))


@usecase(allow=Role.RESIDENT)
async def list_followed(ctx: Context, query: PageQuery) -> Page[AlikeView]:
    """See how the requests stand that you follow, the newest first."""
    own = FollowedQuery(limit=query.limit, after=query.after, follower=ctx.person)
    page = await FOLLOWED.page(ctx.store.as_system(), own)
    return Page(await views(ctx, page.items), page.next)


async def views(ctx: Context, cases: Sequence[Case]) -> list[AlikeView]:
    """As strangers see them, with the names of their communities."""
    names = await providers.names(ctx, {_coarse(case) for case in cases})
    return [AlikeView.of(case, names.get(_coarse(case)), ctx) for case in cases]


def _coarse(case: Case) -> str:
    return enclosing(case.area, Level.COMMUNITY)
