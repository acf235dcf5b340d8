"""Timers: use cases that run when an entity's time has come, oldest first."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal, Unavailable
from services.chassis.domain.values import EVER
from services.chassis.storage.mongo import Document
from services.chassis.storage.prefetched import Prefetched
from services.chassis.telemetry import logs, metrics, tracing
from services.chassis.usecase import Container, Context

log = logs.get()

Delay = Callable[[Container], timedelta | None]
"""How long after its field's instant an entity is due, by the settings of the process; None: never."""

BATCH = 100
"""How many entities one sweep takes at most."""
_AT_ONCE = 8
"""How many use cases of one timer run concurrently."""
_SHARED = 24
"""How many use cases run concurrently in addition to the one that each timer may always run."""
_PAUSE, _LONGEST_PAUSE = 1.0, 600.0
_MOST_PAUSED = 5_000  # their ids are part of every query

GoesOn = Callable[[], Awaitable[bool]]
"""Whether further use cases may be started: the lease is held, and the worker does not stop."""


def no_delay(_: Container) -> timedelta:
    """Due at the field's instant."""
    return timedelta(0)


@dataclass(frozen=True)
class Timer:
    """Run ``work(ctx, id)`` for each entity whose ``field`` (an instant, or None) is past, by ``delay`` if given.

    Every round asks for the delay: a changed one holds for all entities, whenever their field was written.
    The use case must move the field. If it fails or does not move it, that is logged, and it is retried with growing
    pauses, while the other entities go on. ``every``: at most how often it is looked whether something is due, in
    seconds. TypeError where the kind has no such field.
    """

    name: str
    kind: type[Entity[Any]]
    field: str
    work: Callable[[Context, str], Awaitable[Any]]
    every: float = 1.0
    delay: Delay = no_delay

    def __post_init__(self) -> None:
        self.kind.stored_name(self.field)  # a wrong name fails at the start, and not in every sweep

    @property
    def path(self) -> str:
        """The name of the field in documents."""
        return self.kind.stored_name(self.field)

    @property
    def cause(self) -> str:
        """With what the causes of its use cases begin; the id and the instant follow."""
        return f"timer:{self.name}:"


class Setbacks:
    """Which entities failed lately, and when they are retried. Lost when the process ends.

    At most 5,000 are remembered. Beyond that, the oldest failure is forgotten and retried as if for the first time.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}  # (pause, its end), by the last failure

    def paused(self) -> list[str]:
        """The ids that are passed over now."""
        return [id for id, (_, end) in self._known.items() if end > time.monotonic()]

    def seconds_left(self) -> float:
        """Until the first pause ends; infinite if none is paused."""
        now = time.monotonic()
        return min((end - now for _, end in self._known.values() if end > now), default=math.inf)

    def failed(self, id: str) -> None:
        """Retry it after a pause that doubles with each failure, up to ten minutes."""
        last, _ = self._known.pop(id, (_PAUSE / 2, 0.0))
        pause = min(_LONGEST_PAUSE, last * 2)
        self._known[id] = (pause, time.monotonic() + pause)
        if len(self._known) > _MOST_PAUSED:
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


class Slots:
    """How many use cases run concurrently: each timer may always run one, and all share some more.

    So no number of timers that hang keeps another from running.
    """

    def __init__(self, shared: int = _SHARED) -> None:
        self._free = shared

    @contextmanager
    def take(self, wanted: int) -> Iterator[int]:
        """At least one slot and at most ``wanted``; the block gets how many."""
        more = min(wanted - 1, self._free)
        self._free -= more
        try:
            yield 1 + more
        finally:
            self._free += more


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: how many entities were due, and when the next is (None: none waits).

    ``pauses_end``: in how many seconds the first of those that were passed over may be retried.
    """

    count: int
    next_at: datetime | None
    pauses_end: float


@dataclass(frozen=True, slots=True)
class _Due:
    """An entity whose time has come, the cause of its use case, the trace of its last event, and its document."""

    id: str
    at: datetime
    cause: str
    trace: str | None
    prefetched: Prefetched

    @classmethod
    def of(cls, timer: Timer, document: Document) -> "_Due":
        """As the look of this timer found it."""
        id, at = document["_id"], document["state"][timer.field]
        return cls(id, at, f"{timer.cause}{id}:{at.isoformat()}", document["trace"], Prefetched(document))


async def _always() -> bool:
    return True


async def next_due(timer: Timer, container: Container, setbacks: Setbacks) -> datetime | None:
    """When the first entity that is not paused is due, past or not; None if there is none. Unavailable."""
    delay = timer.delay(container)
    if delay is None:
        return None
    first = await _first(timer, container, setbacks, 1)
    return next(iter(first.values())) + delay if first else None


async def look(timer: Timer, container: Container, setbacks: Setbacks) -> Swept:
    """When the next is due, without a sweep. Unavailable."""
    pauses_end = setbacks.seconds_left()  # before the query: a pause that ends meanwhile is not overlooked
    return Swept(0, await next_due(timer, container, setbacks), pauses_end)


async def sweep(
    timer: Timer,
    container: Container,
    setbacks: Setbacks | None = None,
    goes_on: GoesOn = _always,
    slots: Slots | None = None,
) -> Swept:
    """Run the use case for up to 100 entities that are due, oldest first, while it goes on.

    Unavailable where the database is away.
    """
    setbacks, slots, delay = setbacks or Setbacks(), slots or Slots(), timer.delay(container)
    if delay is None:
        return Swept(0, None, math.inf)
    found = await container.mongo.aggregate(
        timer.kind.collection(), _due(timer, container.clock() - delay, setbacks), BATCH
    )
    entries = [_Due.of(timer, document) for document in found]
    done: list[_Due] = []
    while entries and await goes_on():
        with slots.take(min(len(entries), _AT_ONCE)) as width:
            outcomes = await _together(timer, container, entries[:width])
        done += [due for due in entries[:width] if outcomes[due.id] == "ok"]
        _note(timer, setbacks, {id: outcome for id, outcome in outcomes.items() if outcome != "ok"})
        if "unavailable" in outcomes.values():
            _note(timer, setbacks, {due.id: "ok" for due in done})
            raise Unavailable(retry_after=1)
        entries = entries[width:]
    if not done:
        return replace(await look(timer, container, setbacks), count=len(found))
    pauses_end = setbacks.seconds_left()
    next_at = await _moved(timer, container, setbacks, done, len(found))
    return Swept(len(found), next_at, min(pauses_end, setbacks.seconds_left()))


async def _moved(
    timer: Timer, container: Container, setbacks: Setbacks, done: Sequence[_Due], found: int
) -> datetime | None:
    """Expect that the use cases moved the field, whatever they returned; when the next is due.

    ``found``: how many were due. What was not moved is among that many, unless others have become due before it
    meanwhile; then it is run again, without effect.
    """
    now_at: dict[str, datetime] = {}
    try:
        now_at = await _first(timer, container, setbacks, found + 1)
    finally:
        unmoved = {due.id: due for due in done if now_at.get(due.id) == due.at}
        for due in unmoved.values():
            with tracing.bound(due.trace):
                log.error("a timer's use case left its time where it was", timer=timer.name, entity=due.id)
        _note(timer, setbacks, {due.id: "unmoved" if due.id in unmoved else "ok" for due in done})
    delay = timer.delay(container)
    left = [at for id, at in now_at.items() if id not in unmoved]
    return min(left) + delay if left and delay is not None else None


async def _first(timer: Timer, container: Container, setbacks: Setbacks, limit: int) -> dict[str, datetime]:
    """The field of the first entities that are not paused, by id, oldest first. Unavailable."""
    path = timer.path
    found = await container.mongo.find(
        timer.kind.collection(),
        {path: {"$gte": EVER}} | _without(setbacks),
        show={path: 1},
        sort=[(path, 1)],
        limit=limit,
    )
    return {document["_id"]: document["state"][timer.field] for document in found}


def _due(timer: Timer, until: datetime, setbacks: Setbacks) -> list[Document]:
    """The stages that find the documents that are due, oldest first.

    Of each history they keep the events with a cause of this timer: a run that is repeated finds its own.
    """
    ours = {"$eq": [{"$indexOfBytes": ["$$this.cause", timer.cause]}, 0]}
    history = {"$filter": {"input": "$history", "cond": ours}}
    return [
        {"$match": {timer.path: {"$lte": until, "$type": "date"}} | _without(setbacks)},
        {"$sort": {timer.path: 1}},
        {"$limit": BATCH},
        {"$set": {"trace": {"$last": "$history.trace"}, "history": history}},
    ]


def _note(timer: Timer, setbacks: Setbacks, outcomes: Mapping[str, str]) -> None:
    setbacks.note(outcomes)
    for outcome in outcomes.values():
        metrics.timer_runs.labels(timer.name, outcome).inc()


def _without(setbacks: Setbacks) -> Document:
    paused = setbacks.paused()
    return {"_id": {"$nin": paused}} if paused else {}


async def _together(timer: Timer, container: Container, entries: Sequence[_Due]) -> dict[str, str]:
    """Run them concurrently; the outcomes, by id."""
    async with asyncio.TaskGroup() as group:
        tasks = {due.id: group.create_task(_one(timer, container, due)) for due in entries}
    return {id: task.result() for id, task in tasks.items()}


async def _one(timer: Timer, container: Container, due: _Due) -> str:
    """The outcome of one run: ok, refused, error or unavailable."""
    id = due.id
    # In the trace of its last event: a message that is sent, or a case that escalates, belongs to that trace.
    with tracing.span_because_of(f"timer {timer.name}", due.trace or tracing.new_parent()) as trace:
        try:
            await timer.work(container.system_context(timer.name, due.cause, trace, prefetched=due.prefetched), id)
            return "ok"
        except Refusal as refusal:
            log.warning("a timer's use case refused", timer=timer.name, entity=id, code=refusal.code())
            return "unavailable" if refusal.kind is Kind.UNAVAILABLE else "refused"
        except Exception:
            log.exception("a timer's use case failed", timer=timer.name, entity=id)
            return "error"
