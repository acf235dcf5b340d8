"""The audit log: who saw or was refused what. Each process has a hash chain; entries are durable before the answer
leaves."""

import asyncio
import secrets
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.chassis.domain.events import canonical_bytes, chained
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, Mongo, New
from services.chassis.telemetry import logs, metrics

log = logs.get()

COLLECTION = "audit"
HEADS = "audit_heads"
MOST_SUBJECTS = 200
"""One entry names at most this many subjects; ``count`` is their real number."""


class AuditAway(Refusal):
    kind = Kind.UNAVAILABLE


class Action(StrEnum):
    """What an entry is about."""

    READ = "read"
    """An answer about one object showed sealed data of somebody else."""
    LIST = "list"
    """The same for a page of a list: bulk export of personal data happens through lists."""
    UNMASK = "unmask"
    """Somebody's data was shown unmasked; the reason is in that person's history."""
    REFUSE = "refuse"
    """A request was not authenticated or not permitted."""


@dataclass(frozen=True, slots=True)
class Note:
    """What an entry records: ids and codes only, never text of the request."""

    at: datetime
    actor: str
    roles: tuple[str, ...]
    action: Action
    usecase: str
    about: tuple[str, ...] = ()
    """The ids of entities in the path."""
    subjects: tuple[str, ...] = ()
    """The people whose sealed data was opened."""
    code: str | None = None
    """Code of the refusal."""
    trace: str | None = None


class Audit:
    """The audit log of this process. Entries of concurrent requests are written in one batch."""

    def __init__(self, mongo: Mongo, master: MasterKey, name: str) -> None:
        """``name`` is the name of the process; every start begins a new chain."""
        self.process = f"{name}-{secrets.token_hex(6)}"
        self._mongo, self._master = mongo, master
        self._waiting: list[tuple[Note, asyncio.Future[None]]] = []
        self._in_hand: list[tuple[Note, asyncio.Future[None]]] = []
        self._owed: list[Document] = []  # already chained: they must be written before anything else
        self._last = self._durable = (0, "")  # number and hash
        self._marked = -1
        self._writer: asyncio.Task[None] | None = None
        # not the context of a request, because its log lines belong to no single request
        self._context = copy_context()

    async def append(self, note: Note) -> None:
        """Return when the entry is durable on a majority; AuditAway if that is not possible.

        After AuditAway the entry may still exist: then the data was requested and not shown.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((note, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), context=self._context)
        await written

    async def close(self) -> None:
        """Wait until the head of the chain is written, too."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting or self._marked < self._durable[0]:
                await self._round()
        except Exception as error:  # whatever the error is, no answer may leave without its entry
            log.error("the audit log cannot be written", process=self.process, reason=logs.safe_text(error))
            metrics.audit_failures.inc()
            self._refuse_all()

    async def _round(self) -> None:
        """Write the waiting entries, or first those of a failed round.

        In parallel, write the head of the previous round.
        """
        if self._marked < 0:
            await self._mark()  # before the first entry: a chain without a head counts as shortened
        if not self._owed:
            self._in_hand, self._waiting = self._waiting, []
            self._owed = [self._chained(note) for note, _ in self._in_hand]
        last = self._last
        wrote = self._mongo.bulk(COLLECTION, [New(entry) for entry in self._owed])
        for outcome in await asyncio.gather(wrote, self._mark(), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        for entry in self._owed:
            metrics.audit_entries.labels(entry["action"]).inc()
        self._durable, self._owed = last, []
        self._release()

    def _chained(self, note: Note) -> Document:
        n, previous = self._last
        entry = entry_of(note, self.process, n + 1, previous)
        self._last = (n + 1, entry["hash"])
        return entry

    async def _mark(self) -> None:
        n, hash = self._durable
        if n > self._marked:
            head = {"n": n, "hash": hash, "seal": seal(self._master, self.process, n, hash)}
            await self._mongo.update(HEADS, {"_id": self.process}, {"$set": head}, upsert=True)
            self._marked = n

    def _release(self) -> None:
        for _, written in self._in_hand:
            if not written.done():  # the request may be gone
                written.set_result(None)
        self._in_hand = []

    def _refuse_all(self) -> None:
        """Refuse the waiting requests as well: their own write would fail in the same way."""
        for _, written in (*self._in_hand, *self._waiting):
            if not written.done():
                written.set_exception(AuditAway(retry_after=2))
        self._in_hand, self._waiting = [], []


def entry_of(note: Note, process: str, n: int, previous: str) -> Document:
    """Entry number ``n`` of a process, as stored. ``previous`` is the hash of the entry before it, empty for the first.

    Ids sort in the order of the entries.
    """
    body: Document = {
        "_id": id_of(process, n),
        "process": process,
        "n": n,
        "at": note.at,
        "actor": note.actor,
        "roles": list(note.roles),
        "action": note.action.value,
        "usecase": note.usecase,
        "about": list(note.about),
        "subjects": list(note.subjects[:MOST_SUBJECTS]),
        "count": len(note.subjects),
        "code": note.code,
        "trace": note.trace,
    }
    return {**body, "hash": chained(previous, canonical_bytes(body))}


def id_of(process: str, n: int) -> str:
    """The id of an entry."""
    return f"{process}:{n:010d}"


def seal(master: MasterKey, process: str, n: int, hash: str) -> str:
    """The seal of a head.

    With access to the database alone, a chain can be shortened, but its new head cannot be sealed.
    """
    return master.blind("audit-head", f"{process}|{n}|{hash}")
