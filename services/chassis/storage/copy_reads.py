"""Which copies a reaction may read: those that it declares, because it waits while one of them is not kept."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from services.chassis.domain.entity import COPIES


class UndeclaredCopy(Exception):
    """A reaction reads copies that it does not declare: it would not wait while these are not kept."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """The reaction that runs, and the collections of the copies that it may read."""

    reaction: str
    copies: Collection[str]


_limit: ContextVar[_Limit | None] = ContextVar("copies of the reaction that runs", default=None)


@contextmanager
def limited(reaction: str, copies: Collection[str]) -> Iterator[None]:
    """Within this block, and in the tasks that it starts, only these collections of copies may be read."""
    before = _limit.set(_Limit(reaction, copies))
    try:
        yield
    finally:
        _limit.reset(before)


def running() -> str | None:
    """The name of the reaction within whose block this is; None outside of reactions."""
    limit = _limit.get()
    return None if limit is None else limit.reaction


def expect_declared(collection: str) -> None:
    """UndeclaredCopy if a reaction runs and may not read this collection."""
    limit = _limit.get()
    if limit is not None and collection.startswith(COPIES) and collection not in limit.copies:
        raise UndeclaredCopy(f"{limit.reaction} reads {collection}: name it in reads=")
