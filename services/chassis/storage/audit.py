"""The audit log: who was shown or refused what, chained by hash in each process, durable before the answer leaves."""

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
"""So many people are named in one entry; ``count`` says of how many it is."""


class AuditAway(Refusal):
    kind = Kind.UNAVAILABLE
    zh = "审计日志暂时无法写入，因此不提供任何内容；请在 {retry_after} 秒后用同一个 Idempotency-Key 重试。"
    en = (
        "The audit log cannot be written now, so nothing is shown. "
        "Try again in {retry_after} s with the same Idempotency-Key."
    )


class Action(StrEnum):
    """What an entry is about."""

    READ = "read"
    """Sealed data of somebody else was opened for an answer about one thing."""
    LIST = "list"
    """The same for a page of a list: whatever is carried out of the house in bulk is carried out by these."""
    UNMASK = "unmask"
    """Somebody's data was shown in clear, for a reason that their history keeps."""
    REFUSE = "refuse"
    """Somebody was not let in, or not let do or see something."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be told: ids and codes only, never what was asked for in words."""

    at: datetime
    actor: str
    roles: tuple[str, ...]
    action: Action
    usecase: str
    about: tuple[str, ...] = ()
    """The ids of ours that the path names."""
    subjects: tuple[str, ...] = ()
    """The people whose sealed data was opened."""
    code: str | None = None
    """Of the refusal."""
    trace: str | None = None


class Audit:
    """The log of this process. Entries of requests that come at the same time are written in one go."""

    def __init__(self, mongo: Mongo, master: MasterKey, name: str) -> None:
        """``name`` is that of the process; every start begins a chain of its own."""
        self.process = f"{name}-{secrets.token_hex(6)}"
        self._mongo, self._master = mongo, master
        self._waiting: list[tuple[Note, asyncio.Future[None]]] = []
        self._in_hand: list[tuple[Note, asyncio.Future[None]]] = []
        self._owed: list[Document] = []  # chained already, so that they must be written before anything else
        self._last = self._durable = (0, "")  # number and hash
        self._marked = -1
        self._writer: asyncio.Task[None] | None = None
        self._context = copy_context()  # not that of a request: what is logged here is nobody's own

    async def tell(self, note: Note) -> None:
        """Return when the entry is on a majority and journaled; AuditAway where that cannot be had.

        An entry may be there although this failed: then what it tells was asked for, and not shown.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((note, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), context=self._context)
        await written

    async def close(self) -> None:
        """Wait until the head is written too."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._waiting or self._marked < self._durable[0]:
                await self._round()
        except Exception as error:  # whatever it is, nothing leaves without its entry
            log.error("the audit log cannot be written", process=self.process, reason=logs.safe_text(error))
            metrics.audit_failures.inc()
            self._refuse_all()

    async def _round(self) -> None:
        """Write what waits, or first what is owed; beside it the head of what the round before wrote."""
        if self._marked < 0:
            await self._mark()  # before the first entry: a chain without a head has lost it
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
            if not written.done():  # whoever asked may be gone
                written.set_result(None)
        self._in_hand = []

    def _refuse_all(self) -> None:
        """Also those who wait for their turn: it would take them as long to hear the same."""
        for _, written in (*self._in_hand, *self._waiting):
            if not written.done():
                written.set_exception(AuditAway(retry_after=2))
        self._in_hand, self._waiting = [], []


def entry_of(note: Note, process: str, n: int, previous: str) -> Document:
    """Entry number ``n`` of a process as it is stored; ``previous`` is the hash of the one before, first an empty one.

    Ids sort as the entries follow each other.
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
    """The mark of a head: whoever has the database alone can shorten a chain, but not make the head that fits."""
    return master.blind("audit-head", f"{process}|{n}|{hash}")
