"""The clock of rosters: a gap is reported before it begins, and who works there no more is on call no more."""

from services.chassis.domain.paging import Order
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.storage.documents import load
from services.chassis.usecase import Container, Context
from services.members.accounts.model import Account
from services.members.rosters import commands, model
from services.members.rosters.model import Roster

_NAME, _EVERY = "drop-shifts", 60.0

roster_watch = Timer("roster-watch", Roster, "alert_at", commands.report_gaps, every=5.0)


async def drop_shifts(container: Container) -> None:
    """Take the shifts of those out of all rosters whose account was closed, or holds for another place. Unavailable."""
    async for documents in container.mongo.each(Roster.collection(), {}):
        for roster in (load(Roster, document) for document in documents):
            ctx = container.system_context(_NAME, f"left:{roster.version}")
            ahead = model.ahead(roster, ctx.now())
            working = await _working(ctx, roster, {shift.account_id for shift in ahead})
            if gone := [shift.id for shift in ahead if shift.account_id not in working]:
                await commands.drop_shifts(ctx, roster.id, gone)


async def _working(ctx: Context, roster: Roster, accounts: set[str]) -> set[str]:
    """Those of these accounts that can be on call there."""
    where = {"_id": {"$in": sorted(accounts)}}
    found = await ctx.store.find(Account, where, order=Order("_id"), limit=max(1, len(accounts)))
    return {one.id for one in found if one.open and model.works_there(one.actor(""), roster.area)}


shifts_of_who_left = Periodic(_NAME, drop_shifts, _EVERY)
