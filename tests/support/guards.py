"""The rows of a table of guards: who does what with which thing, and the one outcome that is right."""

import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event, Origin
from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import ALL, PUBLIC, Actor, Visible
from services.chassis.domain.values import now
from services.chassis.guards import oneself, visible
from services.chassis.storage.documents import draft
from services.chassis.storage.mongo import Document
from services.chassis.usecase import REGISTER, Container, Context, UseCase, system_only

OK = "ok"
_ROLE = ("forbidden", "sign-in-needed")
_HIDDEN = ("not-found",)


Thing = tuple[type[Entity[Any]], Document]


@dataclass(frozen=True)
class Row:
    """One command by one actor on one thing: ``right`` is ``ok`` or the code of the refusal.

    ``records`` is the event that an allowed one leaves as this cause's first; without it none is asked for.
    """

    command: str
    label: str
    actor: Actor
    run: Callable[[Context], Awaitable[Any]]
    right: str
    records: type[Event] | None = None
    thing: Thing | None = None
    loads_all: bool = False
    """The use case loads what the actor may not see: who is not to know of it is refused by its guard."""

    def __str__(self) -> str:
        return f"{self.command}: {self.label}"


async def insert(container: Container, rows: Iterable[Row]) -> None:
    """Store the things of these rows."""
    things = defaultdict[str, list[Document]](list)
    for kind, document in (row.thing for row in rows if row.thing):
        things[kind.collection()].append(document)
    for collection, documents in things.items():
        for start in range(0, len(documents), 1000):
            await container.mongo.command("insert", collection, documents=documents[start : start + 1000])


async def expect_right(container: Container, service: str, rows: Sequence[Row]) -> None:
    """AssertionError where a command of the service is in no row, or a row does not come out right."""
    changing = {name for name, known in REGISTER.items() if known.changes and name.startswith(f"{service}.")}
    assert {row.command for row in rows} == changing, "a command is missing from the table, or is none"
    await insert(container, rows)
    wrong = [said async for said in _wrong(container, rows)]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(rows)} rows are wrong", *wrong[:20]])


async def experiment(container: Container, rows: Sequence[Row]) -> str:
    """Take each guard away, one after the other: ``n of n caught``. AssertionError names what goes unnoticed.

    Only rows that are refused run, so that the things of all others stay as they are.
    """
    refused = [row for row in rows if row.right != OK]
    await insert(container, refused)
    count, missed = 0, list[str]()
    for name in sorted({row.command for row in rows}):
        own = [row for row in refused if row.command == name]
        for part, removed, concerned in _parts(REGISTER[name], own):
            count += 1
            with removed:
                others = [row for row in own if row not in concerned]
                if not [said async for said in _first(_wrong(container, (*concerned, *others)))]:
                    missed.append(f"{name} without its {part}")
    line = f"{count - len(missed)} of {count} caught"
    assert not missed, "\n".join([line, *missed])
    return line


def stored(kind: type[Entity[Any]], *events: Event, id: str = "any") -> Document:
    """A new entity to which this has happened, as a document."""
    entity = kind.blank(id)
    for event in events:
        entity.record(event)
    return draft(entity, Origin(now(), "account_before", "city", "before", None, None))


def twin(kind: type[Entity[Any]], document: Document, id: str, container: Container) -> Thing:
    """The same thing under another id, with values of its own where they are unique, and a key where its kind has
    keys."""
    own = {field: id for index in kind.indexes if index.unique for field in index.fields}
    key = {"key": {"wrapped": container.vault.new_key(id), "pending": True}} if kind.own_key else {}
    return kind, {**document, "_id": id, "state": {**document["state"], **own}, **key}


async def _wrong(container: Container, rows: Iterable[Row]) -> Any:
    for row in rows:
        ctx = container.context(row.actor, f"guards:{secrets.token_hex(8)}", fingerprint="same")
        came = await _outcome(row, ctx)
        if came != row.right:
            yield f"{row} is {came}, {row.right} is right"
        elif came == OK and (said := await _unrepeatable(row, ctx)):
            yield f"{row}: {said}"


async def _outcome(row: Row, ctx: Context) -> str:
    try:
        left = await row.run(ctx)
    except Refusal as refusal:
        return refusal.code()
    if row.records is not None:
        history = await ctx.store.as_system().history(type(left), left.id)
        events = [event.type.rpartition(".")[2] for event in history if event.cause.startswith(ctx.cause)]
        return OK if row.records.__name__ in events[:1] else f"{OK}, but recorded {events}"
    return OK


async def _unrepeatable(row: Row, ctx: Context) -> str | None:
    """What is wrong with a repeat by somebody who holds nothing any more: promise G3 says that it is answered."""
    if row.records is None:
        return None
    bare = replace(row.actor, places=(), organisations=())
    try:
        first = await row.run(ctx.container.context(bare, ctx.cause, fingerprint="same"))
        again = await row.run(ctx.container.context(bare, ctx.cause, fingerprint="same"))
    except Refusal as refusal:
        return f"its repeat is {refusal.code()}"
    return None if (first.id, first.version) == (again.id, again.version) else "its repeat changes something"


async def _first(found: Any) -> Any:
    async for one in found:
        yield one
        return


Part = tuple[str, Any, list[Row]]


def _parts(known: UseCase, refused: list[Row]) -> Iterator[Part]:
    """Each guard of a use case: its name, what takes it away, and the rows that are refused by it."""
    yield "roles", _replaced(known, "allow", (PUBLIC,)), [row for row in refused if row.right in _ROLE]
    if known.within is oneself:
        yield "person", _somebody_else(), refused
    elif known.within not in (visible, system_only):
        held = [row for row in refused if row.right not in (_ROLE if row.loads_all else (*_ROLE, *_HIDDEN))]
        yield "within", _replaced(known, "within", visible), held
    hidden = [row for row in refused if row.right in _HIDDEN and row.thing and not row.loads_all]
    if hidden and hidden[0].thing and known.within is not system_only:
        yield "visible", _seen_by_all(hidden[0].thing[0]), hidden


@contextmanager
def _replaced(known: UseCase, field: str, by: Any) -> Iterator[None]:
    """A use case that is frozen for everybody else has another guard for a while."""
    before = getattr(known, field)
    object.__setattr__(known, field, by)
    try:
        yield
    finally:
        object.__setattr__(known, field, before)


@contextmanager
def _seen_by_all(kind: type[Entity[Any]]) -> Iterator[None]:
    def everything(cls: type[Entity[Any]], actor: Actor) -> Visible:
        return ALL

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kind, "visible", classmethod(everything))
        yield


@contextmanager
def _somebody_else() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Context, "person", "person_else")
        yield
