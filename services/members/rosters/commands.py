"""Starting a duty roster, its shifts, and reporting its gaps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Id, id_from, wall_time
from services.chassis.guards import changes, named_places, visible
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.roles import Role
from services.contracts.members.rosters import RosterStarted, Shift, roster_id
from services.contracts.requests.catalogue import System
from services.members.accounts.model import Account, Login
from services.members.accounts.queries import with_login
from services.members.areas.model import Area
from services.members.areas.queries import expect_open
from services.members.rosters import model
from services.members.rosters.metrics import gaps_reported
from services.members.rosters.model import NotStaffThere, Roster

_EDITORS = (Role.DISPATCHER, Role.ADMINISTRATOR)

WallTime = Annotated[
    datetime,
    BeforeValidator(wall_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
    Field(description="by the clock on the wall in the city, unless it has a zone", examples=["2026-11-30T20:00"]),
]


class StartRoster(Command):
    """For which place, and which service system."""

    area: AreaCode
    system: System

    def places(self) -> tuple[str, ...]:
        """Where it holds."""
        return path(self.area)


class NewShift(Command):
    """Who is on call, and when; a night ends on the next day."""

    login: Annotated[Login, Field(description="of the account of who is on call")]
    start: WallTime
    end: WallTime
    backup: Annotated[bool, Field(description="called where the first does not accept")] = False


class AddShifts(Command):
    """Some shifts, all of them or none."""

    shifts: Annotated[list[NewShift], Field(min_length=1, max_length=100)]
    instead_of: list[Id] = Field(
        default_factory=list, max_length=100, description="ids of shifts that are taken out in the same moment"
    )


@usecase(allow=_EDITORS, within=named_places)
async def start_roster(ctx: Context, cmd: StartRoster) -> Roster:
    """Let a place of yours have a duty roster for a service system; where it has one, that is the answer."""
    id = roster_id(cmd.area, cmd.system)
    await ctx.claims.bind(Roster.entity_type, id)
    try:
        async with ctx.store.create(Roster, id) as roster:
            await expect_open(ctx, cmd.area)
            roster.record(RosterStarted(area=cmd.area, system=cmd.system, started_at=ctx.now()))
    except Taken:
        return await ctx.store.get(Roster, id)
    return roster


@changes(Roster, allow=_EDITORS, within=visible)
async def add_shifts(ctx: Context, roster: Roster, cmd: AddShifts) -> None:
    """Enter who is on call, first or as the backup, one of each at a time; or put others in the place of some."""
    if cmd.instead_of:
        model.remove(roster, cmd.instead_of, ctx.now())
    accounts = {login: await with_login(ctx, login) for login in {one.login for one in cmd.shifts}}
    shifts = [_shift(ctx, roster, one, number, accounts[one.login]) for number, one in enumerate(cmd.shifts)]
    model.add(roster, shifts, ctx.now(), ctx.dependency(ZoneInfo))


@changes(Roster, allow=_EDITORS, within=visible)
async def remove_shift(ctx: Context, roster: Roster, shift_id: str) -> None:
    """Take a shift out of a roster."""
    model.remove(roster, [shift_id], ctx.now())


@changes(Roster, allow=SYSTEM)
async def drop_shifts(ctx: Context, roster: Roster, shift_ids: Sequence[str]) -> None:
    """Take shifts out of a roster of those who work there no more."""
    there = {shift.id for shift in roster.shifts}
    if gone := [id for id in shift_ids if id in there]:
        model.remove(roster, gone, ctx.now())


@usecase(allow=SYSTEM)
async def report_gaps(ctx: Context, roster_id: str) -> Roster:
    """Report that nobody will be on call."""
    async with ctx.store.change(Roster, roster_id) as roster:
        model.report_gaps(roster, (await ctx.store.get(Area, roster.area)).name, ctx.now())
    gaps_reported.inc(len(roster.fresh))  # only when it is written: after a conflict the whole runs again
    return roster


def _shift(ctx: Context, roster: Roster, new: NewShift, number: int, account: Account | None) -> Shift:
    if account is None or not account.open or not model.works_there(account.actor(""), roster.area):
        raise NotStaffThere(login=new.login)
    zone = ctx.dependency(ZoneInfo)
    return Shift(
        id=id_from("shift", f"{ctx.cause}:{number}"),
        account_id=account.id,
        person_id=account.person_id,
        start=model.instant(new.start, zone),
        end=model.instant(new.end, zone),
        backup=new.backup,
    )
