"""The clock of rosters: a gap is reported before it begins, and who works there no more is on call no more."""

from collections.abc import Mapping

from services.chassis.domain.refusals import Unavailable
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.members.accounts.model import Account
from services.members.rosters import commands, model
from services.members.rosters.model import Roster

log = logs.get()

_NAME, _EVERY = "drop-shifts", 60.0
_READ = 50
"""How many rosters are read at once: each may have hundreds of shifts."""
_SHOWN = {"history": 0}

roster_watch = Timer("roster-watch", Roster, "alert_at", commands.report_gaps, every=5.0)


async def drop_shifts(container: Container) -> None:
    """Take the shifts of those out of all rosters whose account was closed, or holds for another place. Unavailable."""
    ahead = {Roster.stored_name("shifts.end"): {"$gt": container.clock()}}
    async for found in container.mongo.each(Roster.collection(), ahead, _SHOWN, _READ):
        ids = {shift["account_id"] for roster in found for shift in roster["state"]["shifts"]}
        accounts = await container.mongo.by_ids(Account.collection(), ids, _SHOWN)
        for document in found:
            await _drop(container, document, accounts)


async def _drop(container: Container, document: Document, accounts: Mapping[str, Document]) -> None:
    ctx = container.system_context(_NAME, f"left:{document['version']}")
    try:
        roster = load(Roster, document)
        ahead = model.ahead(roster, ctx.now())
        working = {id for id in {shift.account_id for shift in ahead} if _works(accounts.get(id), roster.area)}
        if gone := [shift.id for shift in ahead if shift.account_id not in working]:
            await commands.drop_shifts(ctx, roster.id, gone)
    except Unavailable:
        raise
    except Exception:
        log.exception("the shifts of who left stay in a roster; the other rosters go on", roster=document["_id"])


def _works(account: Document | None, area: str) -> bool:
    """Whether it is an account that can be on call there."""
    if account is None:
        return False
    found = load(Account, account)
    return found.open and model.works_there(found.actor(""), area)


shifts_of_who_left = Periodic(_NAME, drop_shifts, _EVERY)
