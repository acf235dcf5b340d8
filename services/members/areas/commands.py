"""Adding, renaming and closing areas."""

from services.chassis.domain.words import GivenName
from services.chassis.guards import changes, own_places
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaClosure, AreaCode, Bounds, Level
from services.contracts.members.roles import Role
from services.members.areas import model
from services.members.areas.model import Area
from services.members.areas.queries import expect_open, is_open


class AddArea(Command):
    """An area that is to be there."""

    code: AreaCode
    level: Level
    name: GivenName


class RenameArea(Command):
    """Its new name."""

    name: GivenName


class BoundArea(Bounds, Command):
    """The box in which it lies, with some room; positions outside it are refused."""


class CloseArea(Command):
    """Why it is closed, and which area takes its place."""

    reason: AreaClosure
    successor: AreaCode | None = None


@usecase(allow=Role.ADMINISTRATOR, within=own_places)
async def add_area(ctx: Context, cmd: AddArea) -> Area:
    """Add an area below one that is there."""
    await ctx.claims.bind(Area.entity_type, cmd.code)
    async with ctx.store.create(Area, cmd.code) as area:
        await _expect_above(ctx, cmd.code)
        model.add(area, cmd.level, cmd.name.words())
    return area


@changes(Area, by="code", allow=Role.ADMINISTRATOR, within=own_places)
async def rename_area(ctx: Context, area: Area, cmd: RenameArea) -> None:
    """Give an area another name."""
    model.rename(area, cmd.name.words())


@changes(Area, by="code", allow=Role.ADMINISTRATOR, within=own_places)
async def bound_area(ctx: Context, area: Area, cmd: BoundArea) -> None:
    """Say in which box an area lies."""
    model.bound(area, Bounds.model_validate(cmd.model_dump()))


@changes(Area, by="code", allow=Role.ADMINISTRATOR, within=own_places)
async def close_area(ctx: Context, area: Area, cmd: CloseArea) -> None:
    """Close an area: no more requests are taken in it, nor in what lies in it."""
    if cmd.successor is not None:
        await expect_open(ctx, cmd.successor)
    model.close(area, cmd.reason, cmd.successor)


async def _expect_above(ctx: Context, code: str) -> None:
    above = model.above(code)
    if above is not None and not await is_open(ctx, above):
        raise model.AboveMissing(code=above)
