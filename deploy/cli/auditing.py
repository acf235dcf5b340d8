"""The audit entries of all services, merged by time, a page at a time."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from deploy.local import Trouble
from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import CursorInvalid, Unavailable
from services.chassis.storage.audit import COLLECTION
from services.chassis.storage.mongo import Document, Mongo, connect

_ORDER = Order("at", descending=True)
_SHOWN = ("at", "actor", "action", "usecase", "whose", "about", "code", "trace")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries; without a filter, all."""

    subject: str
    actor: str
    since: datetime | None
    limit: int
    after: str | None

    def where(self) -> Document:
        """As a condition on stored documents."""
        named = {name: value for name, value in (("subjects", self.subject), ("actor", self.actor)) if value}
        return {**named, **({"at": {"$gte": self.since}} if self.since else {})}


@dataclass(frozen=True, slots=True)
class Found:
    """One page; ``next`` continues after it."""

    entries: list[Document]
    next: str | None


def chosen(service: str, services: Iterable[str]) -> list[str]:
    """The named service, or all; Trouble for an unknown one."""
    known = list(services)
    if service and service not in known:
        raise Trouble(f"There is no service {service!r}: choose one of {', '.join(known)}.")
    return [service] if service else known


def instant(text: str) -> datetime:
    """A time from the command line (ISO 8601), with a zone; Trouble if it is not one."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise Trouble(f"{text!r} is not a time: write it as 2026-11-24 or 2026-11-24T08:00:00+08:00.") from None


def read(uris: Mapping[str, str], service: str, asked: Asked) -> Found:
    """One page of the entries of one service or of all; Trouble if it cannot be read."""
    try:
        return asyncio.run(_read([uris[name] for name in chosen(service, uris)], asked))
    except CursorInvalid as error:
        raise Trouble("Use --after with the same options as the page that returned it.") from error
    except Unavailable as error:
        raise Trouble("A database does not answer: see `linli status`, start what is down with `linli up`.") from error


async def _read(uris: Sequence[str], asked: Asked) -> Found:
    databases = [connect(uri) for uri in uris]
    try:
        parts = await asyncio.gather(*(_newest(mongo, asked) for mongo in databases))
    finally:
        await asyncio.gather(*(mongo.close() for mongo in databases))
    # One cursor serves all services: an entry's id begins with its service, so no two are equal.
    entries = sorted((entry for part in parts for entry in part), key=lambda one: (one["at"], one["_id"]), reverse=True)
    page = entries[: asked.limit]
    return Found(page, _ORDER.cursor(asked.where(), page[-1]) if len(entries) > len(page) else None)


async def _newest(mongo: Mongo, asked: Asked) -> list[Document]:
    where = _ORDER.beyond(asked.where(), asked.after)
    return await mongo.find(COLLECTION, where, sort=_ORDER.keys, limit=asked.limit + 1)


def table(entries: Iterable[Mapping[str, Any]]) -> Table:
    """As a table for a terminal."""
    shown = Table(box=None, pad_edge=False)
    for title in _SHOWN:
        shown.add_column(title, overflow="fold")
    for one in entries:
        at, whose = f"{one['at'].astimezone():%Y-%m-%d %H:%M:%S}", _some(one["subjects"], one["count"])
        about = " ".join(one["about"])
        shown.add_row(at, one["actor"], one["action"], one["usecase"], whose, about, one["code"] or "", one["trace"])
    return shown


def _some(subjects: Sequence[str], count: int) -> str:
    first = " ".join(subjects[:3])
    return f"{first} and {count - 3} more" if count > 3 else first
