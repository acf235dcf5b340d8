"""Counts the commands that are sent to a database, by the driver's own command monitoring."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

from services.chassis.storage.mongo import Document, Mongo
from services.chassis.storage.revocations import FIELD


class Calls(monitoring.CommandListener):
    """Listens to every client that is opened after this file is imported, and counts while it is asked to."""

    def __init__(self) -> None:
        self._counted: Counter[str] | None = None

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """The commands that are sent meanwhile, by name."""
        self._counted = counted = Counter[str]()
        try:
            yield counted
        finally:
            self._counted = None

    def started(self, event: Any) -> None:
        """A command is sent."""
        if self._counted is not None and event.database_name != "admin" and not _reads_revoked(event.command):
            self._counted[event.command_name] += 1

    def succeeded(self, event: Any) -> None:
        """Counted when it was sent."""

    def failed(self, event: Any) -> None:
        """Counted when it was sent."""


def _reads_revoked(command: Mapping[str, Any]) -> bool:
    """Whether it reads which tokens are revoked: an application that lasts does so each second, whoever counts."""
    return any(field.endswith(FIELD) for field in command.get("filter", ()))


def queries(mongo: Mongo) -> list[tuple[str, Document]]:
    """Every look-up of a database from now on, by ids or by ``find``: its collection and what it asked for."""
    asked, find, by_ids = list[tuple[str, Document]](), mongo.find, mongo.by_ids

    async def noted(name: str, where: Document, **more: Any) -> list[Document]:
        asked.append((name, where))
        return await find(name, where, **more)

    async def noted_ids(name: str, ids: Collection[str], show: Mapping[str, int] | None = None) -> Any:
        asked.extend([(name, {"_id": {"$in": list(ids)}})] if ids else [])
        return await by_ids(name, ids, show)

    async def unnoted(name: str, where: Document, show: Document | None, limit: int) -> list[Document]:
        return await find(name, where, show=show, limit=limit)

    mongo._reader._find = unnoted
    mongo.find, mongo.by_ids = noted, noted_ids  # type: ignore[method-assign]
    return asked


CALLS = Calls()
monitoring.register(CALLS)
