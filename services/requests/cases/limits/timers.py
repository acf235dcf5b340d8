"""The clock of all cases: oldest first, by the one field that says when something is due next; and what lets them count
by the city's present working times."""

import asyncio

from services.chassis.domain.refusals import Unavailable
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.requests.calendar.queries import CityCalendar
from services.requests.cases.limits import commands
from services.requests.cases.model import Case

log = logs.get()

_NAME, _EVERY = "move-limits", 30.0
_READ, _AT_ONCE = 200, 8

case_clock = Timer("case-clock", Case, "next_tick_at", commands.tick)


async def move_limits(container: Container) -> None:
    """Let the limits of all open cases count by the calendar that counts now; each of them once. Unavailable."""
    held: CityCalendar = container.dependencies[CityCalendar]
    await held.read(container.mongo)
    failed: list[str] = []
    order = [(Case.stored_name("calendar_version"), 1), ("_id", 1)]
    while True:
        earlier = Case.where(calendar_version={"$gte": 0, "$lt": held.current.version}) | {"_id": {"$nin": failed}}
        found = await container.mongo.find(Case.collection(), earlier, show={"version": 1}, sort=order, limit=_READ)
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            moved = await asyncio.gather(*(_move(container, one["_id"], one["version"]) for one in some))
            failed += [one["_id"] for one, is_moved in zip(some, moved, strict=True) if not is_moved]
        if len(found) < _READ or len(failed) >= _READ:
            return


async def _move(container: Container, id: str, version: int) -> bool:
    held: CityCalendar = container.dependencies[CityCalendar]
    ctx = container.system_context(_NAME, f"calendar:{held.current.version}:{version}")
    try:
        await commands.move_limits(ctx, id)
    except Unavailable:
        raise
    except Exception:
        log.exception("the limits of a case do not follow the calendar; the others go on", case=id)
        return False
    return True


limits_by_calendar = Periodic(_NAME, move_limits, _EVERY)
