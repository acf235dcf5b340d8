"""The clock of all cases: oldest first, by the one field that says when something is due next; and what lets it follow
the city's calendar."""

from datetime import timedelta

from services.chassis.domain.refusals import Unavailable
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.requests.calendar.queries import CityCalendar
from services.requests.cases.limits import commands
from services.requests.cases.model import Case

log = logs.get()

_NAME, _EVERY = "follow-calendar", 30.0
_HEARD = timedelta(minutes=1)
"""After this time no process sets limits by the calendar before any more."""

case_clock = Timer("case-clock", Case, "next_tick_at", commands.tick)


async def follow(container: Container) -> None:
    """Let the clock of every open case follow the calendar that counts now; each of them once. Unavailable."""
    held: CityCalendar = container.dependencies[CityCalendar]
    await held.read(container.mongo)
    version, set_at, begun = held.calendar.version, held.calendar.set_at, container.clock()
    if held.followed == version:
        return
    failed = 0
    earlier = Case.where(calendar={"$gte": 0, "$lt": version})
    async for documents in container.mongo.each(Case.collection(), earlier, {"version": 1}):
        for document in documents:
            ctx = container.system_context(_NAME, f"calendar:{version}:{document['version']}")
            try:
                await commands.follow_calendar(ctx, document["_id"])
            except Unavailable:
                raise
            except Exception:
                failed += 1
                log.exception("a case does not follow the calendar; the others go on", case=document["_id"])
    if not failed and set_at is not None and begun - set_at > _HEARD:
        held.followed = version


follow_calendar = Periodic(_NAME, follow, _EVERY)
