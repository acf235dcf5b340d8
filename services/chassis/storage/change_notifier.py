"""The change notifier: one change stream a process tells all its parts what changed, so that none of them polls."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import logs

log = logs.get()

_WAIT_MS = 1_000
"""How long the database holds a question that finds nothing, in milliseconds: each answer is a sign of life."""
_SILENT_SECONDS = 2.5
"""After this long without a sign of life the stream counts as silent."""
_GATHER_SECONDS = 0.01
"""The pause after an answer that names something: under load one answer names what many writes changed."""
_AWAY_SECONDS = 1.0
_PLACES = ("fullDocument", "updateDescription.updatedFields")
"""Where a change shows the fields that were set: on an insert or a replacement, and on an update."""


class Subscription:
    """What one part of a process wants to hear of, and what it has not taken yet."""

    def __init__(self, fields: Iterable[str], collections: Collection[str] | None) -> None:
        self.fields, self.collections = frozenset(fields), None if collections is None else frozenset(collections)
        self.heard_at = float("-inf")
        self._named: set[str] | None = set()
        self._something = asyncio.Event()

    async def wait(self, seconds: float) -> set[str] | None:
        """Wait up to ``seconds`` for a change, and take it: see ``take``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something.wait()
        return self.take()

    def take(self) -> set[str] | None:
        """The collections in which one of the fields was set since the last call.

        None: any of them may have changed, and the caller looks itself. So it is when the stream begins to name changes
        for it, at first and after an outage: earlier ones are not named.
        """
        named, self._named = self._named, set()
        self._something.clear()
        return named

    def is_silent(self) -> bool:
        """Whether the stream gives no sign of life: then what changes is not named, and the caller looks more often."""
        return time.monotonic() > self.heard_at + _SILENT_SECONDS

    def note(self, collection: str, fields: Iterable[str]) -> None:
        """These fields were set there."""
        if (self.collections is None or collection in self.collections) and not self.fields.isdisjoint(fields):
            if self._named is not None:
                self._named.add(collection)
            self._something.set()

    def note_all(self) -> None:
        """Any collection may have changed."""
        self._named = None
        self._something.set()


class ChangeNotifier:
    """Listens to majority-committed writes for all subscriptions of a process, as long as there is one."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._subscriptions: list[Subscription] = []
        self._listening: asyncio.Task[None] | None = None
        self._heard: set[_Asked] = set()  # what the stream that is open names

    @asynccontextmanager
    async def subscribe(self, *fields: str, collections: Collection[str] | None = None) -> AsyncIterator[Subscription]:
        """Hear of writes that set one of these top-level fields, as long as the block lasts.

        ``collections``: which of them are named; None for all.
        """
        subscription = Subscription(fields, collections)
        self._subscriptions.append(subscription)
        if self._asked() <= self._heard:
            subscription.note_all()
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="changes")
        try:
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            if not self._subscriptions:
                # Forgotten first: one that subscribes while it ends starts another.
                ending, self._listening, self._heard = self._listening, None, set()
                ending.cancel()
                await asyncio.gather(ending, return_exceptions=True)

    def _is_wanted(self) -> bool:
        """Whether this task still listens: PyMongo Async may swallow a cancellation."""
        return self._listening is asyncio.current_task()

    async def _listen(self) -> None:
        """Follow a stream until cancelled; another one after an outage, or when more is asked for."""
        while self._is_wanted():
            try:
                async with self._mongo.session() as session:
                    await self._follow(session)
            except Unavailable as error:
                log.warning("nothing is heard of changes until the database answers", reason=str(error))
                await asyncio.sleep(_AWAY_SECONDS)
            except Exception:
                log.exception("the change stream failed and is opened again")
                await asyncio.sleep(_AWAY_SECONDS)

    async def _follow(self, session: Any) -> None:
        asked = self._asked()
        changes = Changes(self._mongo, session, _pipeline(asked))
        while self._is_wanted() and self._asked() <= asked:
            found = await changes.come(_WAIT_MS)
            if not self._is_wanted():
                return
            self._heard = asked
            self._pass_on(found)
            if found:
                await asyncio.sleep(_GATHER_SECONDS)

    def _asked(self) -> "set[_Asked]":
        return {(one.fields, one.collections) for one in self._subscriptions}

    def _pass_on(self, found: Sequence[Document] | None) -> None:
        for subscription in self._subscriptions:
            subscription.heard_at = time.monotonic()
            if found is None:
                subscription.note_all()
        for change in found or ():
            updated = change.get("updateDescription", {}).get("updatedFields", {})
            fields = {*change.get("fullDocument", ()), *updated}
            for subscription in self._subscriptions:
                subscription.note(change["ns"]["coll"], fields)


_Asked = tuple[frozenset[str], frozenset[str] | None]


def _pipeline(asked: "Iterable[_Asked]") -> list[Document]:
    """No more than names: what changed there each part reads itself."""
    wanted = [_written(fields, collections) for fields, collections in asked]
    shown = {f"{place}.{field}": 1 for fields, _ in asked for field in fields for place in _PLACES}
    written: Document = {"operationType": {"$in": ["insert", "update", "replace"]}, "$or": wanted}
    return [{"$match": written}, {"$project": {"_id": 1, "ns.coll": 1, **shown}}]


def _written(fields: Iterable[str], collections: Collection[str] | None) -> Document:
    among: Document = {} if collections is None else {"ns.coll": {"$in": sorted(collections)}}
    return {**among, "$or": [{f"{place}.{field}": {"$exists": True}} for field in sorted(fields) for place in _PLACES]}
