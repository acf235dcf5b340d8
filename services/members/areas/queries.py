"""Lists and views of areas."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.words import Words
from services.chassis.storage.filters import Is, Matching, Within
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, Bounds, Level, path
from services.members.areas import model
from services.members.areas.model import Area, AreaNotOpen


class AreaQuery(PageQuery):
    """Which areas; the three filters combine."""

    under: Annotated[AreaCode | None, Within(path), Field(description="lie in this area")] = None
    level: Annotated[Level | None, Is("level"), Field(description="are of this level")] = None
    q: Annotated[str | None, Matching(), Field(min_length=1, max_length=40, description="have this in their name")] = (
        None
    )


AREAS = Listing(Area, AreaQuery, leads=("under",))


class AreaView(BaseModel):
    """An area as everybody sees it."""

    code: str = Field(examples=["150702001"])
    level: str = Field(examples=["sub_district"])
    name: Words
    above: str | None = Field(description="the code of the area in which it lies", examples=["150702"])
    open: bool = Field(description="whether it takes requests, unless one that it lies in is closed")
    successor: str | None = Field(description="the area that took its place when it was closed")
    bounds: Bounds | None = Field(description="the box in which its positions lie")

    @classmethod
    def of(cls, area: Area, ctx: Context) -> Self:
        """The same for all."""
        return cls(
            code=area.id,
            level=area.level,
            name=area.name,
            above=model.above(area.id),
            open=area.open,
            successor=area.successor,
            bounds=area.bounds,
        )


@usecase(allow=PUBLIC)
async def list_areas(ctx: Context, query: AreaQuery) -> Page[Area]:
    """Find areas, in the order of their codes."""
    return await AREAS.page(ctx.store, query)


@usecase(allow=PUBLIC)
async def get_area(ctx: Context, code: str) -> Area:
    """Look at one area."""
    return await ctx.store.get(Area, code)


async def is_open(ctx: Context, code: str) -> bool:
    """Whether an area exists and is open, with all areas that contain it: a closed area closes everything inside."""
    whole = path(code)
    found = await ctx.store.find(Area, {"_id": {"$in": list(whole)}}, order=Order("_id"), limit=len(whole))
    return [area.id for area in found if area.open] == list(whole)


async def expect_open(ctx: Context, code: str) -> None:
    """AreaNotOpen if an area does not exist, or it or one that contains it is closed."""
    if not await is_open(ctx, code):
        raise AreaNotOpen(code=code)
