"""How a reaction reads copies: those that it declares, and those of its own batch without a query."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from services.chassis.domain.entity import COPIES

Document = dict[str, Any]


class UndeclaredCopy(Exception):
    """A reaction reads copies that it does not declare: it would not wait while these are not kept."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """The reaction that runs, and the collections of the copies that it may read."""

    reaction: str
    copies: Collection[str]


_fresh: ContextVar[dict[str, dict[str, Document]] | None] = ContextVar("copies written in this batch", default=None)
_limit: ContextVar[_Limit | None] = ContextVar("copies of the reaction that runs", default=None)


@contextmanager
def limited(reaction: str, copies: Collection[str]) -> Iterator[None]:
    """Within this block, and in the tasks that it starts, only these collections of copies may be read."""
    before = _limit.set(_Limit(reaction, copies))
    try:
        yield
    finally:
        _limit.reset(before)


@contextmanager
def shared() -> Iterator[None]:
    """Within this block, and in the tasks that it starts, copies that are written need not be read again."""
    before = _fresh.set({})
    try:
        yield
    finally:
        _fresh.reset(before)


def note_written(collection: str, documents: Iterable[Document]) -> None:
    """These copies are stored as they are here."""
    if (fresh := _fresh.get()) is not None:
        fresh.setdefault(collection, {}).update({document["_id"]: document for document in documents})


def written(collection: str) -> Mapping[str, Document]:
    """The copies that were written in this batch, by id: as they are after its events."""
    return (_fresh.get() or {}).get(collection, {})


def running() -> str | None:
    """The name of the reaction within whose block this is; None outside of reactions."""
    limit = _limit.get()
    return None if limit is None else limit.reaction


def expect_declared(collection: str) -> None:
    """UndeclaredCopy if a reaction runs and may not read this collection."""
    limit = _limit.get()
    if limit is not None and collection.startswith(COPIES) and collection not in limit.copies:
        raise UndeclaredCopy(f"{limit.reaction} reads {collection}: name it in reads=")
