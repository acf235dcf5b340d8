"""How service items are found."""

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.contracts.requests.catalogue import FormField, System
from services.requests.catalogue.model import Item, ItemUnknown

_SEARCHED = ("state.name.zh", "state.name.en", "state.keywords", "_id")


class ItemQuery(PageQuery):
    """Which items; both filters combine."""

    system: Annotated[System | None, Field(description="belong to this service system")] = None
    q: Annotated[str | None, Field(min_length=1, max_length=40, description="have this in name, code or keywords")] = (
        None
    )


class ItemView(BaseModel):
    """A service item as everybody sees it."""

    code: str = Field(examples=["HEA-VACCINE"])
    offered: bool
    system: str
    group: Words
    name: Words
    general: bool = Field(description="the system's item for whatever no other one fits")
    eligibility: Words | None
    materials: list[Words]
    steps: list[Words]
    mode: str = Field(description="free or paid")
    tiers: list[str] = Field(description="who it is given to, in this order")
    team_kind: str | None
    skill: str | None
    department: str
    first_response_hours: float = Field(description="working hours until somebody takes it on")
    resolution_hours: float = Field(description="working hours until it is done")
    form: list[FormField]
    keywords: list[str]
    emergency: Words | None = Field(description="what to do at once where somebody is in danger")

    @classmethod
    def of(cls, item: Item, ctx: Context) -> Self:
        """The same for all."""
        return cls(
            code=item.id,
            offered=item.offered,
            system=item.system,
            group=item.group,
            name=item.name,
            general=item.general,
            eligibility=item.eligibility,
            materials=item.materials,
            steps=item.steps,
            mode=item.mode,
            tiers=item.tiers,
            team_kind=item.team_kind,
            skill=item.skill,
            department=item.department,
            first_response_hours=item.first_response_hours,
            resolution_hours=item.resolution_hours,
            form=item.form,
            keywords=item.keywords,
            emergency=item.emergency,
        )


@usecase(allow=PUBLIC)
async def list_items(ctx: Context, query: ItemQuery) -> Page[Item]:
    """Find services that are offered, in the order of their codes."""
    where: dict[str, Any] = {"state.offered": True}
    if query.system:
        where["state.system"] = query.system.value
    if query.q:
        like = {"$regex": re.escape(query.q), "$options": "i"}
        where["$or"] = [{field: like} for field in _SEARCHED]
    return await ctx.store.page(Item, where, order=Order("_id"), limit=query.limit, after=query.after)


@usecase(allow=PUBLIC)
async def get_item(ctx: Context, code: str) -> Item:
    """Look at one service: who may ask, what to bring, the steps, how long it takes, what it costs."""
    return await ctx.store.get(Item, code)


async def offered(ctx: Context, code: str) -> Item:
    """The item of this code that is offered now; ItemUnknown otherwise."""
    try:
        item = await ctx.store.get(Item, code)
    except NotFound:
        raise ItemUnknown(item=code) from None
    if not item.offered:
        raise ItemUnknown(item=code)
    return item
