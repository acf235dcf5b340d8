"""Adding, renaming and closing areas."""

from typing import Annotated

from pydantic import Field

from services.chassis.guards import changes, own_places
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaClosure, AreaCode, Level
from services.contracts.members.roles import Role
from services.members.areas import model
from services.members.areas.model import Area
from services.members.areas.queries import is_open

Name = Annotated[str, Field(min_length=1, max_length=80)]


class AddArea(Command):
    """An area that is to be there."""

    code: AreaCode
    level: Level
    name: Name
    name_en: Name | None = None


class RenameArea(Command):
    """Its new name."""

    name: Name
    name_en: Name | None = None


class CloseArea(Command):
    """Why it is closed."""

    reason: AreaClosure


@usecase(allow=Role.ADMINISTRATOR, within=own_places)
async def add_area(ctx: Context, cmd: AddArea) -> Area:
    """Add an area below one that is there."""
    await ctx.store.bind(Area.entity_type, cmd.code)
    async with ctx.store.create(Area, cmd.code) as area:
        await _expect_above(ctx, cmd.code)
        model.add(area, cmd.level, cmd.name, cmd.name_en)
    return area


@changes(Area, by="code", allow=Role.ADMINISTRATOR, within=own_places)
async def rename_area(ctx: Context, area: Area, cmd: RenameArea) -> None:
    """Give an area another name."""
    model.rename(area, cmd.name, cmd.name_en)


@changes(Area, by="code", allow=Role.ADMINISTRATOR, within=own_places)
async def close_area(ctx: Context, area: Area, cmd: CloseArea) -> None:
    """Close an area: no more requests are taken in it, nor in what lies in it."""
    model.close(area, cmd.reason)


async def _expect_above(ctx: Context, code: str) -> None:
    above = model.above(code)
    if above is not None and not await is_open(ctx, above):
        raise model.AboveMissing(code=above)
