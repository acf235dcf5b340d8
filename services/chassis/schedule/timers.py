"""Timers: use cases that run because an entity's time has come, oldest first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal, Unavailable
from services.chassis.ops import logs, metrics, tracing
from services.chassis.schedule.leases import Lease
from services.chassis.usecase import Context, House

log = logs.get()

_BATCH = 100
_AT_ONCE = 8


@dataclass(frozen=True)
class Timer:
    """Run ``work(ctx, id)`` for each of ``kind`` whose ``field`` (an instant, or None) is past.

    The use case must move the field on; one that leaves it is logged and tried again at the next sweep.
    """

    name: str
    kind: type[Entity[Any]]
    field: str
    work: Callable[[Context, str], Awaitable[Any]]
    every: float = 1.0


async def run(timer: Timer, house: House, lease: Lease) -> None:
    """Sweep again and again until cancelled, while the lease is ours; ``every`` is in seconds."""
    while True:
        more = False
        try:
            more = await lease.hold() and await sweep(timer, house) == _BATCH
        except* Unavailable as errors:  # those of a sweep come as a group
            log.warning("a timer waits", timer=timer.name, reason=str(errors.exceptions[0]))
        await asyncio.sleep(0 if more else timer.every)


async def sweep(timer: Timer, house: House) -> int:
    """Run the use case for up to 100 entities that are due, oldest first; how many there were."""
    path = f"state.{timer.field}"
    due = {path: {"$lte": house.clock(), "$type": "date"}}
    found = await house.mongo.find(timer.kind.collection(), due, show={path: 1}, sort=[(path, 1)], limit=_BATCH)
    entries = [(document["_id"], document["state"][timer.field]) for document in found]
    for start in range(0, len(entries), _AT_ONCE):
        await _together(timer, house, entries[start : start + _AT_ONCE])
    return len(entries)


async def _together(timer: Timer, house: House, entries: Sequence[tuple[str, datetime]]) -> None:
    async with asyncio.TaskGroup() as group:
        for id, due in entries:
            group.create_task(_one(timer, house, id, due))


async def _one(timer: Timer, house: House, id: str, due: datetime) -> None:
    cause = f"timer:{timer.name}:{id}:{due.isoformat()}"
    with tracing.span(f"timer {timer.name}", tracing.new_parent()) as trace:
        try:
            await timer.work(house.own_context(timer.name, cause, trace), id)
            outcome = "ok"
        except Refusal as refusal:
            if refusal.kind is Kind.UNAVAILABLE:
                raise Unavailable(retry_after=1) from refusal
            outcome = "refused"
            log.warning("a timer's use case refused", timer=timer.name, entity=id, code=refusal.code())
        except Exception:
            outcome = "error"
            log.exception("a timer's use case failed", timer=timer.name, entity=id)
    metrics.timer_runs.labels(timer.name, outcome).inc()
