"""The change notifier: one change stream a process tells all its parts what changed, so that none of them polls."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import logs

log = logs.get()

_WAIT_MS = 500
"""How long the database holds a question that finds nothing, in milliseconds."""
_SILENT_SECONDS = 1.0
"""After this long without an answer of the database the stream counts as silent."""
_GATHER_SECONDS = 0.01
"""The pause after an answer that names something: under load one answer names what many writes changed."""
_AWAY_SECONDS = 1.0
_PLACES = ("fullDocument", "updateDescription.updatedFields")
"""Where a change shows the fields that were set: on an insert or a replacement, and on an update."""

Earliest = Mapping[str, datetime]
"""The earliest instant that each of some fields was set to."""
Named = Mapping[str, Earliest]
"""The collections that changed."""


class Interest(NamedTuple):
    """Writes that set one of these top-level fields, in these collections.

    ``instants``: the fields of documents whose new values are shown as well.
    """

    fields: frozenset[str]
    collections: frozenset[str]
    instants: frozenset[str]


class Subscription:
    """What one part of a process wants to hear of, and what it has not taken yet."""

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self.heard_at = float("-inf")
        self._named: dict[str, dict[str, datetime]] | None = {}
        self._something = asyncio.Event()

    async def wait(self, seconds: float) -> Named | None:
        """Wait up to ``seconds`` for a change, and take it: see ``take``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something.wait()
        return self.take()

    def take(self) -> Named | None:
        """The collections in which one of the fields was set since the last call, with the earliest new instants.

        None: any of them may have changed, and the caller looks itself. So it is when the stream begins to name changes
        for it, at first and after an outage: earlier ones are not named.
        """
        named, self._named = self._named, {}
        self._something.clear()
        return named

    def is_silent(self) -> bool:
        """Whether the database does not answer: then what changes is not named, and the caller looks more often."""
        return time.monotonic() > self.heard_at + _SILENT_SECONDS

    def note(self, collection: str, fields: Iterable[str], instants: Earliest) -> None:
        """These fields were set there, and some to these instants."""
        if collection in self.interest.collections and not self.interest.fields.isdisjoint(fields):
            if self._named is not None:
                known = self._named.setdefault(collection, {})
                for field in self.interest.instants & instants.keys():
                    known[field] = min(known.get(field, instants[field]), instants[field])
            self._something.set()

    def note_all(self) -> None:
        """Any collection may have changed."""
        self._named = None
        self._something.set()


class ChangeNotifier:
    """Listens to majority-committed writes for all subscriptions of a process, as long as there is one."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._context = copy_context()  # of the process: what it says belongs to no single request or reaction
        self._subscriptions: list[Subscription] = []
        self._listening: asyncio.Task[None] | None = None
        self._heard: set[Interest] = set()  # what the stream that is open names

    @asynccontextmanager
    async def subscribe(
        self, *fields: str, collections: Collection[str], instants: Collection[str] = ()
    ) -> AsyncIterator[Subscription]:
        """Hear of writes that set one of these top-level fields in these collections, as long as the block lasts.

        ``instants``: fields such as ``state.due_at`` whose new values are shown as well.
        """
        subscription = Subscription(Interest(frozenset(fields), frozenset(collections), frozenset(instants)))
        self._subscriptions.append(subscription)
        if self._asked() <= self._heard:
            subscription.note_all()
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="changes", context=self._context.copy())
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
        instants = sorted({field for one in asked for field in one.instants})
        changes = Changes(self._mongo, session, _pipeline(asked, instants))
        while self._is_wanted() and self._asked() <= asked:
            found = await changes.come(_WAIT_MS)
            if not self._is_wanted():
                return
            self._heard = asked
            self._pass_on(found, instants)
            if found:
                await asyncio.sleep(_GATHER_SECONDS)
        await changes.close()

    def _asked(self) -> set[Interest]:
        return {one.interest for one in self._subscriptions}

    def _pass_on(self, found: Sequence[Document] | None, instants: Sequence[str]) -> None:
        heard = [one for one in self._subscriptions if one.interest in self._heard]  # others wait for a new stream
        for subscription in heard:
            subscription.heard_at = time.monotonic()
            if found is None:
                subscription.note_all()
        for change in found or ():
            updated = change.get("updateDescription", {}).get("updatedFields", {})
            fields = {*change.get("fullDocument", ()), *updated}
            # Commands know nothing of a time zone.
            at = {f: value.replace(tzinfo=UTC) for f, value in zip(instants, change["instants"], strict=True) if value}
            for subscription in heard:
                subscription.note(change["ns"]["coll"], fields, at)


def _pipeline(asked: Iterable[Interest], instants: Sequence[str]) -> list[Document]:
    """No more than names and instants: what else changed there each part reads itself."""
    wanted = [_written(one.fields, one.collections) for one in asked]
    shown = {f"{place}.{field}": 1 for one in asked for field in one.fields for place in _PLACES}
    written: Document = {"operationType": {"$in": ["insert", "update", "replace"]}, "$or": wanted}
    values = [_value(field) for field in instants]
    return [{"$match": written}, {"$project": {"_id": 1, "ns.coll": 1, **shown, "instants": values}}]


def _value(field: str) -> Document:
    """What a field was set to; an update of a nested field has the whole way to it as one name."""
    dotted = {"$getField": {"field": field, "input": f"${_PLACES[1]}"}}
    return {"$ifNull": [*(f"${place}.{field}" for place in _PLACES), dotted, None]}


def _written(fields: Iterable[str], collections: Collection[str]) -> Document:
    sets = [{f"{place}.{field}": {"$exists": True}} for field in sorted(fields) for place in _PLACES]
    return {"ns.coll": {"$in": sorted(collections)}, "$or": sets}
