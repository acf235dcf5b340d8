"""Rosters as staff read them: who is on call now, the shifts, and the gaps of the next days."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.values import Instant
from services.chassis.storage.filters import Is, Within
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.rosters import Shift
from services.contracts.requests.catalogue import System
from services.members.rosters.model import READERS, Roster, gaps

AHEAD = timedelta(days=7)
"""For how long gaps are listed."""


class RosterQuery(PageQuery):
    """Which rosters; both filters combine."""

    under: Annotated[AreaCode | None, Within(path), Field(description="hold for a place in this area")] = None
    system: Annotated[System | None, Is("system"), Field(description="are for this service system")] = None


ROSTERS = Listing(Roster, RosterQuery, leads=("under",))


class ShiftView(BaseModel):
    """When somebody is on call."""

    id: str
    account: str
    person: str
    start: Instant
    end: Instant
    backup: bool

    @classmethod
    def of(cls, shift: Shift) -> Self:
        """All of it."""
        return cls(
            id=shift.id,
            account=shift.account_id,
            person=shift.person_id,
            start=shift.start,
            end=shift.end,
            backup=shift.backup,
        )


class GapView(BaseModel):
    """When nobody is on call."""

    start: Instant
    end: Instant


class RosterView(BaseModel):
    """A duty roster."""

    id: str
    area: str
    system: str
    on_call: list[ShiftView] = Field(description="who is on call now: the first, then the backup")
    gaps: list[GapView] = Field(description="when nobody is, within the next seven days")
    shifts: list[ShiftView] = Field(description="in the order of their starts; what is over drops out after a week")

    @classmethod
    def of(cls, roster: Roster, ctx: Context) -> Self:
        """As it is at this moment."""
        now = ctx.now()
        end = now + AHEAD
        return cls(
            id=roster.id,
            area=roster.area,
            system=roster.system,
            on_call=[ShiftView.of(shift) for shift in roster.on_call(now)],
            gaps=[GapView(start=gap.start, end=gap.end or end) for gap in gaps(roster.shifts, now, end)],
            shifts=[ShiftView.of(shift) for shift in roster.shifts],
        )


@usecase(allow=READERS)
async def list_rosters(ctx: Context, query: RosterQuery) -> Page[Roster]:
    """Find the duty rosters of your places: who is on call now, and when nobody is."""
    return await ROSTERS.page(ctx.store, query)


@usecase(allow=READERS)
async def get_roster(ctx: Context, roster_id: str) -> Roster:
    """Look at one duty roster: who is on call now, all shifts, and the gaps of the next seven days."""
    return await ctx.store.get(Roster, roster_id)
