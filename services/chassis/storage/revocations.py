"""Whose tokens are refused although they have not expired: sessions and accounts that ended, rights that changed."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import TokenInvalid, Unavailable
from services.chassis.domain.scope import EVERY_TOKEN, LONGEST_TOKEN, Actor
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import logs, metrics

log = logs.get()

COLLECTION = "revocations"
"""What a service heard from the one that signs people in: the id of a session or an account, and until when."""
FIELD = "tokens_until"
BELOW = "tokens_below"
"""Which tokens: those with a lower number."""

_LOOK_SECONDS = 1.0
_ALL_SECONDS = 60.0
"""How often all are read again. In between only those that end later than the latest known: others are older."""
_STALE_SECONDS = 10.0
"""A process that has read nothing for this long takes no token: somebody may have signed out meanwhile."""
_LATE = timedelta(minutes=2)
"""How much earlier one may end that is written later: clocks differ, and a write takes its time."""
_BATCH = 1_000


class Source(NamedTuple):
    """A collection of what may end, by its id, and the field with the instant until which its tokens are refused.

    ``below`` is the field with the number below which they are; without it, all are.
    """

    collection: str
    field: str
    below: str | None = None


class Revoked(NamedTuple):
    """Until when tokens are refused, and which: those with a number below this."""

    until: datetime
    below: int


class Revocations:
    """The revoked tokens of this service, held in a process that answers requests."""

    def __init__(self, mongo: Mongo, sources: Sequence[Source], clock: Callable[[], datetime]) -> None:
        self._mongo = mongo
        self._sources = sources
        self._clock = clock
        self._known: dict[str, Revoked] = {}
        self._latest: datetime | None = None
        self._all_at = float("-inf")
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._streams: dict[str, set[tuple[int, asyncio.Event]]] = defaultdict(set)

    async def include(self, actor: Actor) -> bool:
        """Whether the actor's token is revoked. Unavailable where what is known is too old."""
        await self.expect_read()
        return any(_refuses(self._known.get(subject), actor.grants) for subject in _subjects(actor))

    async def expect_live(self, actor: Actor) -> None:
        """Ask the database whether the actor's account and session stand: nothing that is held. TokenInvalid."""
        subjects, now = _subjects(actor), self._clock()
        each = await asyncio.gather(*(self._of(source, subjects) for source in self._sources))
        for source, found in zip(self._sources, each, strict=True):
            for document in found.values():
                revoked = _revoked(source, document)
                if revoked and revoked.until > now and _refuses(revoked, actor.grants):
                    raise TokenInvalid

    async def _of(self, source: Source, subjects: Sequence[str]) -> Mapping[str, Document]:
        return await self._mongo.by_ids(source.collection, subjects, _shown(source))

    async def expect_read(self) -> None:
        """Read them where this process has not yet, or not for some time: it would take any token. Unavailable."""
        if time.monotonic() > self._read_at + _STALE_SECONDS:
            await self._attempted()

    async def follow(self) -> None:
        """Read what is added, for ever."""
        while True:
            try:
                await self._attempted()
            except Unavailable as error:
                log.warning("revoked tokens cannot be read until the database answers", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)

    async def _attempted(self) -> None:
        """One attempt to read, shared by all who wait for one."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="revocations")
        await asyncio.shield(self._reading)

    @contextmanager
    def ending(self, actor: Actor) -> Iterator[asyncio.Event]:
        """A signal that is set when the actor's token is revoked, until the block ends: for what outlasts its check."""
        signal = asyncio.Event()
        for subject in _subjects(actor):
            self._streams[subject].add((actor.grants, signal))
            if _refuses(self._known.get(subject), actor.grants):
                signal.set()
        try:
            yield signal
        finally:
            for subject in _subjects(actor):
                self._streams[subject].discard((actor.grants, signal))
                if not self._streams[subject]:
                    del self._streams[subject]

    async def _read(self) -> None:
        now, read_at = self._clock(), time.monotonic()
        everything = self._latest is None or read_at > self._all_at + _ALL_SECONDS
        latest = now if self._latest is None else min(self._latest, now + LONGEST_TOKEN)  # a clock may be set back
        since = now if everything else max(now, latest - _LATE)
        each = await asyncio.gather(*(self._since(source, since) for source in self._sources))
        found = {subject: until for some in each for subject, until in some.items()}
        self._known = {**({} if everything else self._known), **found}
        self._latest = max((now, *(revoked.until for revoked in self._known.values())))
        if everything:
            self._all_at = read_at
        self._read_at = read_at
        metrics.revocations.set(len(self._known))
        for subject in found.keys() & self._streams.keys():
            for grants, signal in self._streams[subject]:
                if _refuses(found[subject], grants):
                    signal.set()

    async def _since(self, source: Source, since: datetime) -> dict[str, Revoked]:
        """All that end at this instant or later, along their index."""
        order, found = Order(source.field), dict[str, Revoked]()
        where: Document = {source.field: {"$gte": since}}
        after: str | None = None
        while True:
            beyond = order.beyond(where, after)
            shown = _shown(source)
            some = await self._mongo.find(source.collection, beyond, show=shown, sort=order.keys, limit=_BATCH)
            found |= {one["_id"]: revoked for one in some if (revoked := _revoked(source, one))}
            if len(some) < _BATCH:
                return found
            after = order.cursor(where, some[-1])


def _shown(source: Source) -> dict[str, int]:
    return dict.fromkeys(filter(None, (source.field, source.below)), 1)


def _revoked(source: Source, document: Document) -> Revoked | None:
    until = Order(source.field).value_of(document)
    below = Order(source.below).value_of(document) if source.below else None
    return None if until is None else Revoked(until, EVERY_TOKEN if below is None else below)


def _refuses(revoked: Revoked | None, grants: int) -> bool:
    return revoked is not None and grants < revoked.below


def _subjects(actor: Actor) -> Sequence[str]:
    return [subject for subject in (actor.id, actor.session) if subject is not None]
