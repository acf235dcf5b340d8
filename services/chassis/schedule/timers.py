"""Timers: use cases that run when an entity's time has come, oldest first."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal, Unavailable
from services.chassis.storage.leases import Lease
from services.chassis.telemetry import logs, metrics, tracing
from services.chassis.usecase import Container, Context

log = logs.get()

Delay = Callable[[Container], timedelta | None]
"""How long after its field's instant an entity is due, by the settings of the process; None: never."""

_BATCH = 100
_AT_ONCE = 8
_RENEW = 1.0
_PAUSE, _LONGEST_PAUSE = 1.0, 600.0
_MOST_RESTING = 5_000  # their ids are part of every query


def no_delay(_: Container) -> timedelta:
    """Due at the field's instant."""
    return timedelta(0)


@dataclass(frozen=True)
class Timer:
    """Run ``work(ctx, id)`` for each entity whose ``field`` (an instant, or None) is past, by ``delay`` if given.

    Every round asks for the delay: a changed one holds for all entities, whenever their field was written.
    The use case must move the field. If it fails or does not move it, that is logged, and it is retried with growing
    pauses, while the other entities go on.
    """

    name: str
    kind: type[Entity[Any]]
    field: str
    work: Callable[[Context, str], Awaitable[Any]]
    every: float = 1.0
    delay: Delay = no_delay


async def run(timer: Timer, container: Container, lease: Lease, finishing: asyncio.Event) -> None:
    """Sweep again and again while the lease is ours, until told to finish; what is in hand then is done to its end."""

    async def ours() -> bool:
        return await lease.acquire() and not finishing.is_set()  # renewed in any case, for what is in hand

    setbacks = Setbacks()
    while not finishing.is_set():
        more = False
        try:
            more = await ours() and await sweep(timer, container, setbacks, ours) == _BATCH
        except Unavailable as error:
            log.warning("a timer waits", timer=timer.name, reason=str(error))
        with suppress(TimeoutError):
            await asyncio.wait_for(finishing.wait(), 0 if more else timer.every)


class Setbacks:
    """Which entities failed lately, and when they are retried. Lost when the process ends.

    At most 5,000 are remembered. Beyond that, the oldest failure is forgotten and retried as if for the first time.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}  # (pause, its end), by the last failure

    def resting(self) -> list[str]:
        """Those that are passed over now."""
        return [id for id, (_, end) in self._known.items() if end > time.monotonic()]

    def failed(self, id: str) -> None:
        """Retry it after a pause that doubles with each failure, up to ten minutes."""
        last, _ = self._known.pop(id, (_PAUSE / 2, 0.0))
        pause = min(_LONGEST_PAUSE, last * 2)
        self._known[id] = (pause, time.monotonic() + pause)
        if len(self._known) > _MOST_RESTING:
            del self._known[next(iter(self._known))]

    def mended(self, id: str) -> None:
        """It succeeded: forget its failures."""
        self._known.pop(id, None)

    def note(self, outcomes: Mapping[str, str]) -> None:
        """Note the outcomes; an outage of the database is no failure of an entity."""
        for id, outcome in outcomes.items():
            if outcome == "ok":
                self.mended(id)
            elif outcome != "unavailable":
                self.failed(id)


@dataclass(frozen=True, slots=True)
class _Due:
    """An entity whose time has come, and the trace of its last event."""

    id: str
    at: datetime
    trace: str | None


async def _alone() -> bool:
    return True


async def sweep(
    timer: Timer, container: Container, setbacks: Setbacks | None = None, ours: Callable[[], Awaitable[bool]] = _alone
) -> int:
    """Run the use case for up to 100 entities that are due, oldest first, as long as that is ours; how many there were.

    Unavailable where the database is away.
    """
    setbacks, delay = setbacks or Setbacks(), timer.delay(container)
    if delay is None:
        return 0
    path = f"state.{timer.field}"
    due = {path: {"$lte": container.clock() - delay, "$type": "date"}, "_id": {"$nin": setbacks.resting()}}
    show = {path: 1, "history": {"$slice": -1}}
    found = await container.mongo.find(timer.kind.collection(), due, show=show, sort=[(path, 1)], limit=_BATCH)
    entries = [_Due(d["_id"], d["state"][timer.field], d["history"][-1]["trace"]) for d in found]
    for start in range(0, len(entries), _AT_ONCE):
        if not await ours():
            break
        outcomes = await _together(timer, container, entries[start : start + _AT_ONCE], ours)
        setbacks.note(outcomes)
        if "unavailable" in outcomes.values():
            raise Unavailable(retry_after=1)
    return len(entries)


async def _together(
    timer: Timer, container: Container, entries: Sequence[_Due], ours: Callable[[], Awaitable[bool]]
) -> dict[str, str]:
    """Run them concurrently. The lease is renewed meanwhile: another worker would start the same."""
    async with asyncio.TaskGroup() as group:
        tasks = {due.id: group.create_task(_one(timer, container, due)) for due in entries}
        while (await asyncio.wait(tasks.values(), timeout=_RENEW))[1]:
            with suppress(Unavailable):
                await ours()
    outcomes = {id: task.result() for id, task in tasks.items()}
    for due in await _unmoved(timer, container, [due for due in entries if outcomes[due.id] == "ok"]):
        outcomes[due.id] = "unmoved"
        with tracing.bound(due.trace):
            log.error("a timer's use case left its time where it was", timer=timer.name, entity=due.id)
    for outcome in outcomes.values():
        metrics.timer_runs.labels(timer.name, outcome).inc()
    return outcomes


async def _unmoved(timer: Timer, container: Container, done: Sequence[_Due]) -> list[_Due]:
    """Those whose field was not moved, whatever their use case returned."""
    if not done:
        return []
    where, show = {"_id": {"$in": [due.id for due in done]}}, {f"state.{timer.field}": 1}
    found = await container.mongo.find(timer.kind.collection(), where, show=show, limit=len(done))
    now_at = {document["_id"]: document["state"][timer.field] for document in found}
    return [due for due in done if now_at.get(due.id) == due.at]


async def _one(timer: Timer, container: Container, due: _Due) -> str:
    """The outcome of one run: ok, refused, error or unavailable."""
    id, cause = due.id, f"timer:{timer.name}:{due.id}:{due.at.isoformat()}"
    # In the trace of its last event: a message that is sent, or a case that escalates, continues that story.
    with tracing.span_because_of(f"timer {timer.name}", due.trace or tracing.new_parent()) as trace:
        try:
            await timer.work(container.system_context(timer.name, cause, trace), id)
            return "ok"
        except Refusal as refusal:
            log.warning("a timer's use case refused", timer=timer.name, entity=id, code=refusal.code())
            return "unavailable" if refusal.kind is Kind.UNAVAILABLE else "refused"
        except Exception:
            log.exception("a timer's use case failed", timer=timer.name, entity=id)
            return "error"
