"""The scheduler: all timers and all periodic work of a worker, in one loop and under one lease."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from services.chassis.domain.refusals import Unavailable
from services.chassis.schedule import timers
from services.chassis.schedule.timers import GoesOn, Setbacks, Slots, Timer
from services.chassis.storage.change_notifier import Named
from services.chassis.storage.leases import Lease
from services.chassis.telemetry import logs, metrics
from services.chassis.usecase import Container

log = logs.get()

_ROUND_SECONDS = 1.0
"""How long the loop sleeps at most: it renews the lease, and notices a clock that was set."""
_LOOK_SECONDS = 30.0
"""How often each timer is looked at without a cause: a change that the notifier does not name is delayed by this, and
not lost."""
_AWAY_SECONDS, _FAILED_SECONDS = 1.0, 5.0
"""The pause of a timer after an outage of the database, and after any other error; the other timers go on."""
_LOOKS = 8
"""How many timers are looked at concurrently."""


@dataclass(frozen=True)
class Periodic:
    """Work that the worker with the lease does again after ``every`` seconds.

    It is cancelled, at any point, when the worker stops or loses the lease. ``on_lease_lost()`` is called after that.
    """

    name: str
    work: Callable[[Container], Awaitable[object]]
    every: float
    on_lease_lost: Callable[[], None] = lambda: None


class Scheduler:
    """Runs timers and periodic work concurrently when they are due: one that is slow does not delay another.

    It does not poll. It knows the next instant of each timer, and the change notifier names the collections in which
    that may have changed since, whichever process wrote to them.
    """

    def __init__(
        self, known: Sequence[Timer], periodic: Sequence[Periodic], container: Container, lease: Lease
    ) -> None:
        slots, looks = Slots(), asyncio.Semaphore(_LOOKS)
        self._changes = container.changes
        self._timers = [_ByTimer(timer, container, slots, looks) for timer in known]
        self._entries: list[_Entry] = [*self._timers, *(_ByPeriod(one, container) for one in periodic)]
        self._lease = lease
        self._renewing = asyncio.Lock()
        self._running: dict[_Entry, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._finishing = False

    async def run(self) -> None:
        """Run until ``finish`` is called; what timers have in hand then is done to its end.

        Pauses while another worker holds the lease, or while the database is away.
        """
        async with asyncio.TaskGroup() as group:
            while not self._finishing or self._running:
                self._wake.clear()
                await self._sleep(leads=await self._round(group))
            self._lease_lost()

    def finish(self) -> None:
        """Start nothing more."""
        self._finishing = True
        self._wake.set()

    async def _round(self, group: asyncio.TaskGroup) -> bool:
        """Renew the lease, also for what is in hand, and start what is due; whether anything may be started."""
        try:
            leads = await self._leads()
        except Unavailable as error:
            log.warning("the scheduler waits", reason=str(error))
            if self._lease.is_over():
                self._lease_lost()
            return False
        if not leads or self._finishing:
            self._lease_lost()
            return False
        if self._listening is None:
            self._listening = group.create_task(self._listen())
        for entry in self._idle():
            if entry.seconds_left() <= 0:
                task = self._running[entry] = group.create_task(self._run(entry))
                task.add_done_callback(partial(self._ended, entry))
        for timer in self._timers:
            metrics.timer_late.labels(timer.name).set(timer.late())
        return True

    async def _leads(self) -> bool:
        async with self._renewing:  # two renewals at the same time could refuse each other
            return await self._lease.acquire()

    async def _goes_on(self) -> bool:
        return not self._finishing and await self._leads()

    async def _run(self, entry: "_Entry") -> None:
        try:
            await entry.run(self._goes_on)
        except Unavailable as error:
            log.warning("a timer waits", timer=entry.name, reason=str(error))
            entry.retry(_AWAY_SECONDS)
        except Exception:
            log.exception("a timer failed and is retried", timer=entry.name)
            entry.retry(_FAILED_SECONDS)

    def _ended(self, entry: "_Entry", _: "asyncio.Task[None]") -> None:
        del self._running[entry]
        self._wake.set()

    def _idle(self) -> "list[_Entry]":
        return [entry for entry in self._entries if entry not in self._running]

    async def _sleep(self, *, leads: bool) -> None:
        """Until something is due, changed or ended, and not longer than a round."""
        left = [_ROUND_SECONDS, *(entry.seconds_left() for entry in self._idle() if leads)]
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(left))):
                await self._wake.wait()

    def _lease_lost(self) -> None:
        """The lease is lost, or the worker stops."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
            for entry in self._entries:
                entry.lease_lost(self._running.get(entry))

    async def _listen(self) -> None:
        """Note what the change notifier names, until cancelled."""
        if not self._timers:
            return
        collections = {timer.collection for timer in self._timers}
        paths = {timer.path for timer in self._timers}
        # Every write of an entity sets its version; the relay's marks do not.
        async with self._changes.subscribe("version", collections=collections, instants=paths) as subscription:
            while True:
                self._note(await subscription.wait(_LOOK_SECONDS))

    def _note(self, changed: Named | None) -> None:
        """Expect what was set in the fields of timers; look at all of them where changes may have been missed."""
        for timer in self._timers:
            if changed is None:
                timer.unknown = True
            elif at := changed.get(timer.collection, {}).get(timer.path):
                timer.expect(at)
            else:
                continue
            self._wake.set()


class _Entry(Protocol):
    """Something that the scheduler runs again and again."""

    @property
    def name(self) -> str:
        """The name for operators."""

    def seconds_left(self) -> float:
        """Until it is to run; 0 or less: now."""

    async def run(self, goes_on: GoesOn) -> None:
        """Do what is due now. Unavailable."""

    def retry(self, seconds: float) -> None:
        """It failed: run it after this pause."""

    def lease_lost(self, running: "asyncio.Task[None] | None") -> None:
        """Another worker does it from now on; ``running``: what is in hand."""


class _ByTimer:
    """A timer, and the instant before which no entity of it is due, as far as is known."""

    def __init__(self, timer: Timer, container: Container, slots: Slots, looks: asyncio.Semaphore) -> None:
        self._timer, self._container = timer, container
        self._slots, self._looks = slots, looks
        self._setbacks = Setbacks()
        self._next_at: datetime | None = None
        self._in_hand: datetime | None = None  # what was expected or found to be next when the present run began
        self._not_before, self._look_at = 0.0, time.monotonic() + _LOOK_SECONDS
        self.name, self.path, self.collection = timer.name, timer.path, timer.kind.collection()
        self.unknown = False
        """Whether an entity may be due of which nothing was heard."""

    def late(self) -> float:
        """For how many seconds the oldest entity has been due; 0 if none is."""
        return max(0.0, -self._until(self._in_hand), -self._until(self._next_at))

    def seconds_left(self) -> float:
        now = time.monotonic()
        wanted = 0.0 if self.unknown else min(self._look_at - now, self._until(self._next_at))
        return max(self._not_before - now, wanted)

    def expect(self, at: datetime) -> None:
        """The field of an entity was set to this instant."""
        try:
            delay = self._timer.delay(self._container)
        except Exception:
            self.unknown = True  # the run fails for the same reason, and reports it
            return
        if delay is not None:
            self._next_at = at + delay if self._next_at is None else min(self._next_at, at + delay)

    async def run(self, goes_on: GoesOn) -> None:
        """Sweep if something may be due, after a look where nothing was expected; a backlog goes on at once."""
        self._not_before = time.monotonic() + self._timer.every
        # What is heard from now on is expected besides what is found to be next.
        self.unknown, self._in_hand, self._next_at = False, self._next_at, None
        try:
            swept = None
            if self._until(self._in_hand) > 0:
                async with self._looks:
                    swept = await timers.look(self._timer, self._container, self._setbacks)
                self._in_hand = swept.next_at
            if swept is None or self._until(self._in_hand) <= 0:
                swept = await timers.sweep(self._timer, self._container, self._setbacks, goes_on, self._slots)
        finally:
            self._in_hand = None
        self._look_at = time.monotonic() + min(_LOOK_SECONDS, swept.pauses_end)
        self._next_at = min((at for at in (swept.next_at, self._next_at) if at is not None), default=None)
        self._not_before = 0.0 if swept.count == timers.BATCH else self._not_before

    def retry(self, seconds: float) -> None:
        self.unknown, self._not_before = True, time.monotonic() + seconds

    def lease_lost(self, running: "asyncio.Task[None] | None") -> None:
        """What is in hand is done to its end: it may have reached the outside. Later all is looked at again."""
        self.unknown, self._next_at = True, None
        metrics.timer_late.labels(self.name).set(0)  # two workers must not report the same entities

    def _until(self, at: datetime | None) -> float:
        return float("inf") if at is None else (at - self._container.clock()).total_seconds()


class _ByPeriod:
    """Periodic work, and when it is done again."""

    def __init__(self, periodic: Periodic, container: Container) -> None:
        self._periodic, self._container = periodic, container
        self._not_before = 0.0
        self.name = periodic.name

    def seconds_left(self) -> float:
        return self._not_before - time.monotonic()

    async def run(self, goes_on: GoesOn) -> None:
        self._not_before = time.monotonic() + self._periodic.every
        await self._periodic.work(self._container)

    def retry(self, seconds: float) -> None:
        self._not_before = time.monotonic() + seconds

    def lease_lost(self, running: "asyncio.Task[None] | None") -> None:
        if running is not None:
            running.cancel()
        self._not_before = 0.0
        self._periodic.on_lease_lost()
