"""The relay: publishes recorded events to Kafka, in order for each entity, and marks them as published."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Recorded
from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import EVER
from services.chassis.messaging.failures import raise_worst
from services.chassis.messaging.kafka import BrokerAway, Publisher, Unsendable
from services.chassis.messaging.key_sending import KeySender, marking
from services.chassis.messaging.outgoing import Address
from services.chassis.storage import archive, vault
from services.chassis.storage.archive import Gap
from services.chassis.storage.change_notifier import ChangeNotifier, Subscription
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Document, Mongo, Put
from services.chassis.telemetry import logs, metrics, tracing

log = logs.get()

Kinds = Sequence[type[Entity[Any]]]

_BATCH, _BATCH_PER_KIND = 200, 25
"""How many entities a round moves at most, each with all its events that wait: the first number, or the second for each
collection that is read, if that is more. Each collection that has entities in a round costs it a write command."""
_LOOK_SECONDS = 1.0
"""How long to wait for a change at most: then the lease is renewed."""
_SWEEP_SECONDS, _SILENT_SWEEP_SECONDS = 30.0, 5.0
"""How often all collections are read: a change that the notifier does not name is delayed by this, and not lost. The
second while the notifier is silent."""
_SLOW_SECONDS = 2.0
_TRIES = 3
_MEASURE_SECONDS = 10.0
_MOST_COUNTED = 100_000


class Relay:
    """One relay is active per database, by lease.

    It reads, sends, waits and marks: after a crash it may send again, never less.
    """

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        kinds: Sequence[type[Entity[Any]]],
        source: str,
        topics: tuple[str, str | None],
        history_cap: int,
        linger_seconds: float = 0.008,
        *,
        mints_keys: bool = True,
    ) -> None:
        """``topics``: where events go, and where keys go (None: none are made here). A history longer than
        ``history_cap`` events is trimmed. ``mints_keys``: whether keys of people are made here.

        ``linger_seconds``: how long it waits after sending, so that more events go in the next batch.
        """
        self._mongo = mongo
        self._publisher = publisher
        self._kinds = kinds
        events_topic, keys_topic = topics
        self._keys = KeySender(mongo, publisher, keys_topic, mints=mints_keys, kinds=kinds)
        self._address = Address(events_topic, source)
        self._cap = history_cap
        self._linger_seconds = linger_seconds
        self._failures: Counter[str] = Counter()
        self._left_in: set[str] = set()  # the collections in which the last round may have left something
        self._full = False  # whether the last round reached its limit
        self._measured_at = float("-inf")
        self._backlog = 0

    async def run(self, lease: Lease, changes: ChangeNotifier) -> None:
        """Run until cancelled; pauses while another worker holds the lease, or the broker or database is away."""
        # An event that is recorded while an earlier one waits sets the version alone.
        async with changes.subscribe("pending", "version", collections=self._everything()) as subscription:
            while True:
                try:
                    await self._publish(lease, subscription)
                except (BrokerAway, Unavailable) as error:
                    log.warning("the relay waits", reason=str(error))
                await asyncio.sleep(1.0)

    async def _publish(self, lease: Lease, subscription: Subscription) -> None:
        """Read the collections that the notifier names, and those in which something was left; all now and then."""
        named, swept = set[str](), float("-inf")
        while await lease.acquire():
            every = _SILENT_SWEEP_SECONDS if subscription.is_silent() else _SWEEP_SECONDS
            if time.monotonic() > swept + every:
                named, swept = self._everything(), time.monotonic()
            moved = await self.round(named) if named else 0
            if moved and not self._full:  # otherwise more events wait already
                await asyncio.sleep(self._linger_seconds)
            changed = subscription.take() if moved else await subscription.wait(_LOOK_SECONDS)
            named = self._everything() if changed is None else (self._left_in | changed.keys()) & self._everything()
        self._clear_metrics()

    def _everything(self) -> set[str]:
        return {kind.collection() for kind in self._kinds} | {vault.COLLECTION}

    async def round(self, names: Collection[str] | None = None) -> int:
        """Publish one batch of these collections (None: of all), oldest first; how many entities and keys it moved."""
        documents = await self.read(names)
        self._full = len(documents) == self._most(names)
        # A full batch may have left something in any collection that was read, also where it took nothing.
        self._left_in = set(names or self._everything()) if self._full else set()
        await self._measure(documents, full=self._full)
        sending = asyncio.create_task(self._pass_on(documents))
        try:
            while not (await asyncio.wait([sending], timeout=_SLOW_SECONDS))[0]:
                await self._measure_again()
            moved, left = sending.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if not self._full:  # the next round may be far off
            await self._measure(left, full=False)
        return moved

    async def _pass_on(self, documents: Sequence[Document]) -> tuple[int, Sequence[Document]]:
        # Keys are read after the events, and all of them: so a key that an event needs is there, and is sent before it.
        moved = await self._keys.send_collection()
        await self._keys.send_own(documents)
        published = {**_only_keys(documents), **await self.send(documents)}
        await self.mark(documents, published)
        left = [d for d in documents if published.get(d["_id"]) != d["version"]]
        self._left_in |= {d["collection"] for d in left}
        await self.trim([d for d in documents if d["_id"] in published])
        return moved + sum(1 for d in documents if d["_id"] in published), left

    async def read(self, names: Collection[str] | None = None) -> list[Document]:
        """Entities with unpublished events, oldest first, with just these events; majority-committed only.

        ``names``: the collections to read. A union of all costs as much for each that is empty as for one that is not.
        """
        kinds, most = self._named(names), self._most(names)
        order: list[Document] = [{"$sort": {"pending": 1}}, {"$limit": most}]
        return await self._union(kinds, partial(_unpublished, most), order, most) if kinds else []

    def _named(self, names: Collection[str] | None) -> Kinds:
        return [kind for kind in self._kinds if names is None or kind.collection() in names]

    def _most(self, names: Collection[str] | None) -> int:
        """How many entities a round of these collections moves at most."""
        return max(_BATCH, _BATCH_PER_KIND * len(self._named(names)))

    async def send(self, documents: Sequence[Document]) -> dict[str, int]:
        """Send their events in order; returns the last published version of each entity."""
        histories = {d["_id"]: history for d in documents if (history := await self._history(d))}
        events = [event for history in histories.values() for event in history]
        loud = [event for event in events if event.published]
        outcomes = await self._publisher.send([self._address.record(event) for event in loud])
        failed = {event.id: outcome for event, outcome in zip(loud, outcomes, strict=True) if outcome is not None}
        for event in loud:
            if event.id not in failed:
                metrics.events_published.labels(event.type).inc()
                with tracing.bound(event.trace):
                    log.info("an event is published", event_id=event.id, event_type=event.type)
        await self._judge(documents, failed)
        return {id: version for id, history in histories.items() if (version := _reached(history, failed))}

    async def _history(self, document: Document) -> list[Recorded]:
        try:
            return _next_events(document)
        except Gap as gap:
            await self._set_aside(document, str(gap))
            return []

    async def mark(self, documents: Sequence[Document], published: dict[str, int]) -> None:
        """Mark events as published; events recorded meanwhile stay pending.

        The collections are written concurrently: each write waits for the journal, and they can wait together.
        """
        marks = defaultdict[str, list[Put]](list)
        for document in documents:
            if document["_id"] in published:
                marks[document["collection"]].append(marking(document, published[document["_id"]]))
        raise_worst(await asyncio.gather(*(self._mongo.bulk(*some) for some in marks.items()), return_exceptions=True))

    async def trim(self, documents: Sequence[Document]) -> None:
        """Move the oldest events of long histories to the archive; an entity with a gap is set aside."""
        for document in documents:
            name, id = document["collection"], document["_id"]
            if document["length"] > self._cap:
                try:
                    archived = await archive.trim(self._mongo, name, id, self._cap)
                    metrics.events_archived.labels(name).inc(archived)
                except Gap as gap:
                    await self._set_aside(document, str(gap))

    async def _judge(self, documents: Sequence[Document], failed: dict[str, BaseException]) -> None:
        """Set aside an entity whose own event fails three times; errors of the broker do not count."""
        if failed:
            log.warning("events were not acknowledged", count=len(failed), reason=str(next(iter(failed.values()))))
        own = {id.rpartition(":")[0]: str(e) for id, e in failed.items() if isinstance(e, Unsendable)}
        self._failures = Counter({id: self._failures[id] + 1 for id in own})
        for document in documents:
            if self._failures[document["_id"]] >= _TRIES:
                await self._set_aside(document, own[document["_id"]])

    async def _set_aside(self, document: Document, reason: str) -> None:
        await self._mongo.update(document["collection"], {"_id": document["_id"]}, {"$set": {"stuck": reason}})
        log.error(
            "an entity is set aside: its events cannot be sent. `linli doctor` says what to do",
            entity=document["_id"],
            reason=reason,
        )
        self._measured_at = float("-inf")

    async def _measure(self, documents: Sequence[Document], *, full: bool) -> None:
        oldest = min((d["pending"] for d in documents), default=None)
        age = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
        metrics.relay_oldest.set(max(0.0, age))
        waiting = len(documents)
        if time.monotonic() > self._measured_at + _MEASURE_SECONDS:
            self._measured_at = time.monotonic()
            metrics.relay_stuck.set(await self._count({"stuck": {"$exists": True}}))
            self._backlog = await self._count({"pending": {"$gte": EVER}}) if full else waiting
        metrics.relay_pending.set(max(waiting, self._backlog) if full else waiting)

    async def _measure_again(self) -> None:
        """While a broker hangs, the backlog grows, and an operator may look."""
        with suppress(Unavailable):
            documents = await self.read()
            await self._measure(documents, full=len(documents) == self._most(None))

    def _clear_metrics(self) -> None:
        """Another worker's backlog must not be counted twice; it is measured again once the lease is ours."""
        self._measured_at = float("-inf")
        for gauge in (metrics.relay_oldest, metrics.relay_pending, metrics.relay_stuck):
            gauge.set(0)

    async def _count(self, where: Document) -> int:
        counting: list[Document] = [{"$match": where}, {"$limit": _MOST_COUNTED}, {"$count": "count"}]
        counted = await self._union(self._kinds, lambda _: counting, [], len(self._kinds))
        return sum(document["count"] for document in counted)

    async def _union(
        self,
        kinds: Kinds,
        of_each: Callable[[type[Entity[Any]]], list[Document]],
        of_all: list[Document],
        limit: int,
    ) -> list[Document]:
        """One pipeline over several collections, in one command: a command costs as much as the look itself."""
        first, *others = kinds
        joined: list[Document] = [
            {"$unionWith": {"coll": kind.collection(), "pipeline": of_each(kind)}} for kind in others
        ]
        return await self._mongo.aggregate(first.collection(), [*of_each(first), *joined, *of_all], limit)


def _unpublished(most: int, kind: type[Entity[Any]]) -> list[Document]:
    newer = {"$filter": {"input": "$history", "cond": {"$gt": ["$$this.version", "$published"]}}}
    return [
        {"$match": {"pending": {"$gte": EVER}, "stuck": {"$exists": False}}},
        {"$sort": {"pending": 1}},
        {"$limit": most},
        {
            "$project": {
                "version": 1,
                "published": 1,
                "pending": 1,
                "key": 1,
                "collection": {"$literal": kind.collection()},
                "history": newer,
                "length": {"$size": "$history"},
            }
        },
    ]


def _next_events(document: Document) -> list[Recorded]:
    versions = [entry["version"] for entry in document["history"]]
    if versions != list(range(document["published"] + 1, document["version"] + 1)):
        raise Gap(f"{document['_id']}: published {document['published']}, at {document['version']}, has {versions}")
    return [Recorded.load(entry) for entry in document["history"]]


def _reached(history: Sequence[Recorded], failed: dict[str, BaseException]) -> int:
    reached = 0
    for event in history:
        if event.id in failed:
            break
        reached = event.version
    return reached


def _only_keys(documents: Sequence[Document]) -> dict[str, int]:
    """Entities of which all events are published: what waited was a key."""
    return {d["_id"]: d["version"] for d in documents if d["version"] == d["published"]}
