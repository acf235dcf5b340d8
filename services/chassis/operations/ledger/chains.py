"""Checks the audit log of a service against its heads, and the hash chains of its histories."""

from collections.abc import AsyncIterator
from datetime import datetime

from services.chassis.domain.checks import CheckResult
from services.chassis.domain.events import follows
from services.chassis.operations.answering import Say
from services.chassis.operations.ledger.commands import Commands
from services.chassis.operations.ledger.histories import Histories
from services.chassis.operations.ledger.report import Report
from services.chassis.operations.protocol import AuditRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage.audit import COLLECTION, HEADS, id_of, seal
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, Mongo

NAMED = 1000
"""At most this many broken entries and histories are named."""


async def audit(service: Service, settings: Settings, request: AuditRequest, say: Say) -> Report:
    """Check entries from ``request.since`` on, and all histories with their archives; Unavailable for trouble."""
    container = open_container(service, settings)
    try:
        at = container.clock()
        chains = Chains(container.mongo, container.vault.master, say)
        await chains.read(request.since)
        histories = Histories(container.mongo, service.entities, Commands(()), say)
        histories.versions.named = NAMED
        await histories.read()
        return Report(service.name, at, [chains.line, histories.versions])
    finally:
        await container.mongo.close()


class Chains:
    """One pass over the audit log, chain by chain; others may write meanwhile."""

    def __init__(self, mongo: Mongo, master: MasterKey, say: Say) -> None:
        self._mongo, self._master, self._say = mongo, master, say
        self.line = CheckResult("A1", named=NAMED)

    async def read(self, since: datetime | None = None) -> None:
        """Check every chain from its first entry at or after ``since``."""
        heads = await self._heads()  # heads before entries: what a head counts exists already
        processes = {process async for process in self._processes()} | heads.keys()
        for process in sorted(processes):
            await self._judge(process, heads.get(process), since)
            self._say(f"{self.line.counts['entries']} audit entries read")

    async def _heads(self) -> dict[str, Document]:
        return {head["_id"]: head async for batch in self._mongo.each(HEADS, {}) for head in batch}

    async def _processes(self) -> AsyncIterator[str]:
        """The processes with entries, found by skipping from chain to chain."""
        beyond = ""
        while found := await self._first({"_id": {"$gt": beyond}}):
            process, _, _ = found["_id"].partition(":")
            yield process
            beyond = f"{process};"  # sorts right after everything that begins with the process and a colon

    async def _judge(self, process: str, head: Document | None, since: datetime | None) -> None:
        self.line.count("chains")
        if head is None:
            self.line.breach(f"{process}: its head is missing, so its length is unknown")
        elif head["seal"] != seal(self._master, process, head["n"], head["hash"]):
            self.line.breach(f"{process}: its head was not written by this service")
        chain = await self._begun(process, since)
        beyond = {"_id": {"$gt": id_of(process, chain.n), "$lt": f"{process};"}}
        async for batch in self._mongo.each(COLLECTION, beyond):
            for entry in batch:
                chain.take(entry, head)
        if head is not None:
            chain.end(head)

    async def _begun(self, process: str, since: datetime | None) -> "_Chain":
        """The chain up to the entry before the first requested one, or up to its end."""
        if since is None:
            return _Chain(self.line, process, 0, "")
        own: Document = {"_id": {"$gte": id_of(process, 0), "$lt": f"{process};"}}
        first = await self._first({**own, "at": {"$gte": since}})
        if first is None:
            last = await self._first(own, order=-1)
            return _Chain(self.line, process, _number(last) if last else 0, None)
        n = _number(first) - 1
        before = await self._mongo.find_one(COLLECTION, {"_id": id_of(process, n)})
        return _Chain(self.line, process, n, before["hash"] if before else "" if n == 0 else None)

    async def _first(self, where: Document, order: int = 1) -> Document | None:
        found = await self._mongo.find(COLLECTION, where, sort=[("_id", order)], limit=1)
        return found[0] if found else None


def _number(entry: Document) -> int:
    """The position in the chain, from the id; 0 for a foreign id."""
    digits = entry["_id"].rpartition(":")[2]
    return int(digits) if digits.isdecimal() else 0


class _Chain:
    """The entries of one process, in order."""

    def __init__(self, line: CheckResult, process: str, n: int, hash: str | None) -> None:
        self._line, self._process = line, process
        self.n, self._hash = n, hash
        """How far the chain was read; the hash is None if an entry is missing."""

    def take(self, entry: Document, head: Document | None) -> None:
        """The next existing entry."""
        id, n = entry["_id"], _number(entry)
        if id != id_of(self._process, n):
            self._line.breach(f"{id}: is not an entry of this service")
            return
        self._miss(n - 1)
        self._line.count("entries")
        self._line.count(str(entry.get("action")))
        if self._hash is None:
            self._line.count("not judged, the entry before is missing")
        elif not follows(entry, self._hash):
            self._line.breach(f"{id}: was changed, or does not follow the entry before it")
        if head and n == head["n"] and entry.get("hash") != head["hash"]:
            self._line.breach(f"{id}: does not match the head")
        self.n, self._hash = n, entry.get("hash")

    def end(self, head: Document) -> None:
        """The end of the entries; there must be as many as the head says."""
        self._miss(head["n"])

    def _miss(self, last: int) -> None:
        """The entries up to ``last`` are missing, if the chain ends earlier."""
        if last > self.n:
            gone = [id_of(self._process, n) for n in sorted({self.n + 1, last})]
            self._line.breach(f"{' to '.join(gone)}: gone")
            self._hash = None
