"""Leases: at most one holder at a time, judged by the clock of the database."""

import secrets
import time
from datetime import UTC, datetime

from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import metrics

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Lease:
    """A right that lasts ``seconds`` unless renewed. A worker that restarts takes its own lease back at once."""

    def __init__(self, mongo: Mongo, name: str, holder: str, seconds: float) -> None:
        """``holder`` is the worker (service and slot); two processes never share one."""
        self._mongo = mongo
        self._name = name
        self._holder = holder
        self._term = secrets.token_hex(8)
        self._seconds = seconds
        self._until = 0.0
        self._known = False

    async def acquire(self) -> bool:
        """Whether this process holds the lease now; takes or renews it if due. Raises Unavailable."""
        if time.monotonic() < self._until - self._seconds * 2 / 3:
            return True
        asked = time.monotonic()
        won = await self._take()
        self._until = asked + self._seconds if won else 0.0
        metrics.lease_held.labels(self._name).set(won)
        return won

    def is_over(self) -> bool:
        """Whether the lease time has passed since the last renewal: another process may hold it by now."""
        return time.monotonic() > self._until

    async def seize(self) -> bool:
        """Take the lease even from its holder, for a repair that must run alone. Returns whether it had a holder.

        The former holder notices at its next renewal, within a third of the lease time. Raises Unavailable.
        """
        if await self.acquire():
            return False
        asked = time.monotonic()
        await self._mongo.update("leases", {"_id": self._name}, self._ours())
        self._known, self._until = True, asked + self._seconds
        return True

    async def release(self) -> None:
        """Give the lease up, so that the next holder need not wait for its end. Raises Unavailable."""
        self._until = 0.0
        await self._mongo.delete("leases", {"_id": self._name, "term": self._term})

    async def _take(self) -> bool:
        # A new process of the same holder shuts out the older one: a process that held the lease may only renew its own
        # term.
        free = [{"$eq": ["$term", self._term]}, {"$lt": ["$until", "$$NOW"]}]
        if not self._known:
            free.append({"$eq": ["$holder", self._holder]})
        where: Document = {"_id": self._name, "$expr": {"$or": free}}
        won = await self._mongo.update("leases", where, self._ours()) == 1 or await self._first()
        self._known = self._known or won
        return won

    def _ours(self) -> list[Document]:
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": int(self._seconds * 1000)}}
        return [{"$set": {"holder": self._holder, "term": self._term, "until": until}}]

    async def _first(self) -> bool:
        try:
            await self._mongo.insert("leases", {"_id": self._name, "holder": "", "term": "", "until": _LONG_AGO})
        except Duplicate:
            return False
        return await self._take()
