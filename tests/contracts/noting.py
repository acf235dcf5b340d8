"""A database that notes the names of what it is asked to write and to look for, and holds what it is given."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from services.chassis.storage.mongo import Document, Mongo, New, Put

_OPEN = {"$set", "$setOnInsert", "$min", "$max", "$inc", "$push", "$pull", "$unset", "$or", "$and", "$each", "$match"}


class Noting(Mongo):
    """Every field by its collection; what is looked for is found among ``holds``."""

    def __init__(self) -> None:
        self.holds: dict[str, list[Document]] = {}
        self.noted: dict[str, set[str]] = defaultdict(set)

    def lines(self) -> list[str]:
        """All that was noted."""
        return [f"{name}.{field}" for name, fields in self.noted.items() for field in fields]

    async def find_one(self, name: str, where: Document, show: Document | None = None) -> Document | None:
        """The first that is held."""
        return next(iter(await self.find(name, where, show=show, limit=1)), None)

    async def find(self, name: str, where: Document, *, show: Document | None = None, **more: Any) -> list[Document]:
        """All that are held, whatever the condition; of a look by ``_id`` beyond one nothing."""
        self._note(name, where, show or {}, dict(more.get("sort", ())))
        beyond = (isinstance(where.get("_id"), dict) and "$gt" in where["_id"]) or "$and" in where
        return [] if beyond else self.holds.get(name, [])

    async def by_ids(
        self, name: str, ids: Collection[str], show: Mapping[str, int] | None = None
    ) -> Mapping[str, Document]:
        """All that are held."""
        found = await self.find(name, {"_id": {"$in": list(ids)}}, show=dict(show or {}), limit=len(ids))
        return {document["_id"]: document for document in found}

    async def insert(self, name: str, document: Document) -> None:
        """It is not kept."""
        self._note(name, document)

    async def update(self, name: str, where: Document, change: Any, *, upsert: bool = False) -> int:
        """As if it had been done."""
        self._note(name, where, change)
        return 1

    async def update_batched(
        self, name: str, where: Document, change: Document, *, upsert: bool = False
    ) -> bool | None:
        """As if it had been done."""
        return await self.update(name, where, change) == 1

    async def aggregate(self, name: str, stages: list[Document], limit: int, hint: str | None = None) -> list[Document]:
        """All that are held."""
        self._note(name, stages)
        return self.holds.get(name, [])

    async def find_or_make(self, name: str, where: Document, fields: Document) -> Document:
        """As if there had been none."""
        self._note(name, where, fields)
        return {**where, **fields}

    async def bulk(self, name: str, writes: Sequence[Put | New]) -> int:
        """As if all had been done."""
        for write in writes:
            self._note(name, *([write.document] if isinstance(write, New) else [write.where, write.update]))
        return len(writes)

    async def delete(self, name: str, where: Document) -> int:
        """As if there had been one."""
        self._note(name, where)
        return 1

    def _note(self, name: str, *said: Any) -> None:
        self.noted[name] |= {line for each in said for line in _named(each, "")}


def _named(said: Any, path: str) -> Iterator[str]:
    """The fields in a condition, a change or a document, and how its id is made."""
    match said:
        case Mapping():
            for key, value in said.items():
                yield from _entry(key, value, path)
        case list() | tuple():
            for value in said:
                yield from _named(value, path)
        case str() if said.startswith("$") and not said.startswith("$$"):
            yield said[1:]


def _entry(key: str, value: Any, path: str) -> Iterator[str]:
    if key.startswith("$"):
        yield from _named(value, path) if key in _OPEN else _only_fields(value)
        return
    here = f"{path}.{key}" if path else key
    yield here
    if here == "_id" and isinstance(value, str):
        yield f"_id = {value}"
    yield from _named(value, here)


def _only_fields(value: Any) -> Iterator[str]:
    """In an expression only the fields that it reads; its words are the database's own."""
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else [value]:
        yield from _only_fields(inner) if isinstance(inner, Mapping | list) else _named(inner, "")
