"""How service items are found."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.words import Words
from services.chassis.storage.filters import Is, Matching
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.requests.catalogue import FormField, System
from services.requests.catalogue.model import Item, ItemUnknown

_BY_ID = Order("_id")
DANGER_ANSWERS = "answers to the question `danger` that make it danger; where there are none, every case is"


class ItemQuery(PageQuery):
    """Which items; both filters combine."""

    system: Annotated[System | None, Is("system"), Field(description="belong to this service system")] = None
    q: Annotated[
        str | None, Matching(), Field(min_length=1, max_length=40, description="have this in name, code or keywords")
    ] = None


ITEMS = Listing(Item, ItemQuery, only={"offered": True})


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
    followable: bool = Field(description="everybody's matter: see /v1/requests/alike before you ask for it")
    sensitive: bool = Field(description="text messages and the lines of an inbox leave out what was asked for")
    accept_within_minutes: int | None = Field(
        description="of an item of danger: within how many minutes somebody on call accepts it, at any hour"
    )
    shared_danger: bool = Field(
        description="its danger is one for all around it: neighbours who report it are one incident"
    )
    danger_answers: list[str] = Field(description=DANGER_ANSWERS)

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
            followable=item.followable,
            sensitive=item.sensitive,
            accept_within_minutes=item.accept_within_minutes,
            shared_danger=item.shared_danger,
            danger_answers=item.danger_answers,
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
    return await ITEMS.page(ctx.store, query)


@usecase(allow=PUBLIC)
async def get_item(ctx: Context, code: str) -> Item:
    """Look at one service: who may ask, what to bring, the steps, how long it takes, what it costs."""
    return await ctx.store.get(Item, code)


async def offered(ctx: Context, code: str) -> Item:
    """The item of this code that is offered now; ItemUnknown otherwise."""
    found = await ctx.reference.find(Item, {"_id": code}, order=_BY_ID, limit=1)
    if not found or not found[0].offered:
        raise ItemUnknown(item=code)
    return found[0]
