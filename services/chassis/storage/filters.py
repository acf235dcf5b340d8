"""The filters of a list, as a query class declares them, and what a query asks of documents."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.chassis.domain.entity import Entity
from services.chassis.storage.mongo import Document

UNDER = "under"
"""The places in which an entity lies, as every document has them."""

Path = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Is:
    """The filter asks for entries of which ``field`` has this value."""

    field: str


@dataclass(frozen=True, slots=True)
class One:
    """The filter asks for the one entry of which ``field`` has this value; a unique index finds it."""

    field: str


@dataclass(frozen=True, slots=True)
class Within:
    """The filter asks for entries that lie in this place; ``path`` gives the places from the widest to a place."""

    path: Path


@dataclass(frozen=True, slots=True)
class Has:
    """The filter asks for entries of which ``field``, a list, has this value among others."""

    field: str


@dataclass(frozen=True, slots=True)
class Since:
    """The filter asks for entries of which ``field`` is this instant or later."""

    field: str


@dataclass(frozen=True, slots=True)
class Before:
    """The filter asks for entries of which ``field`` is earlier."""

    field: str


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The filter asks for entries of which ``field``, a count, is this number (1 or more) or greater.

    Those are few, and an index of their own holds them: the others pay nothing for the filter.
    """

    field: str


@dataclass(frozen=True, slots=True)
class Matching:
    """The filter asks for entries that have these words in what their class declares as ``terms``.

    ``along``: the field of the only order in which a list of several orders is searched.
    """

    along: str = ""


FilterKind = Is | One | Within | Has | Since | Before | AtLeast | Matching
_FILTER_KINDS = (Is, One, Within, Has, Since, Before, AtLeast, Matching)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for, by stored names."""

    one: Document
    """What at most one entry has."""
    leads: Document
    equal: Document
    closed: Document
    """All filters with a closed list of values, or none of them: what is not asked for is spelled out."""
    spans: Document
    rare: Document
    """What few entries have."""
    token: tuple[str, str] | None
    """The field and the value of a filter by one of several values."""
    words: str | None

    @property
    def common(self) -> Document:
        """The conditions that do not depend on who asks."""
        return {**self.equal, **self.closed, **self.spans, **self.rare}


@dataclass(frozen=True)
class Filters:
    """The filters of one list, by their names in the query, with the stored names of what they ask for."""

    leads: Sequence[str]
    """By which an actor's part is found, the most selective first."""
    few: frozenset[str] = frozenset()
    """Those of them of which so few entries have the same value that an index needs no filters."""
    only: Document = field(default_factory=dict)
    """What all entries of the list have."""
    one: dict[str, str] = field(default_factory=dict)
    leading: dict[str, str] = field(default_factory=dict)
    equal: dict[str, str] = field(default_factory=dict)
    closed: dict[str, tuple[str, Sequence[Any]]] = field(default_factory=dict)
    spans: dict[str, tuple[str, str]] = field(default_factory=dict)
    rare: dict[str, str] = field(default_factory=dict)
    has: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    """With the field of the order in which they are looked for, where not every order will do."""
    path: list[Path] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        kind: type[Entity[Any]],
        query: type[BaseModel],
        leads: Sequence[str],
        few: Sequence[str],
        only: Mapping[str, Any],
    ) -> Self:
        """As a query class declares them; TypeError where a field is none of the entity's."""
        name_of = kind.stored_name
        narrow = frozenset(map(name_of, few))
        known = cls([*map(name_of, (*few, *leads))], narrow, {name_of(name): value for name, value in only.items()})
        for name, filter, info in _filters_of(query):
            known._take(kind, name, filter, info)
        return known

    def asked(self, query: BaseModel) -> Asked:
        """What a query asks for."""
        given = {name: _plain(getattr(query, name)) for name in type(query).model_fields}
        given = {name: value for name, value in given.items() if value is not None}
        equal = {stored: given[name] for name, stored in self.equal.items() if name in given}
        rare = {stored: {"$gte": given[name]} for name, stored in self.rare.items() if name in given}
        closed: Document = {}
        if equal or rare or not self.closed.keys().isdisjoint(given):
            closed = {stored: given.get(name, {"$in": [*all]}) for name, (stored, all) in self.closed.items()}
        spans: Document = {}
        for name, (stored, step) in self.spans.items():
            if name in given:
                spans.setdefault(stored, {})[step] = given[name]
        return Asked(
            one={stored: given[name] for name, stored in self.one.items() if name in given},
            leads={stored: given[name] for name, stored in self.leading.items() if name in given},
            equal={**self.only, **equal},
            closed=closed,
            spans=spans,
            rare=rare,
            token=next(((field, str(given[name])) for name, field in self.has.items() if name in given), None),
            words=next((str(given[name]) for name in self.words if name in given), None),
        )

    def _take(self, kind: type[Entity[Any]], name: str, filter: FilterKind, info: FieldInfo) -> None:
        match filter:
            case Within():
                self.leading[name] = UNDER
                self.path.append(filter.path)
            case Has():
                if filter.field not in kind.terms.values:
                    raise TypeError(f"{kind.__name__} declares no terms of {filter.field}")
                self.has[name] = filter.field
            case Matching():
                if not (kind.terms.text or kind.terms.sealed):
                    raise TypeError(f"{kind.__name__} declares no terms of words")
                self.words[name] = kind.stored_name(filter.along) if filter.along else ""
            case AtLeast():
                self.rare[name] = kind.stored_name(filter.field)
            case Since() | Before():
                self.spans[name] = kind.stored_name(filter.field), "$gte" if isinstance(filter, Since) else "$lt"
            case One():
                self.one[name] = kind.stored_name(filter.field)
            case Is():
                self._take_equal(kind.stored_name(filter.field), name, info)

    def _take_equal(self, stored: str, name: str, info: FieldInfo) -> None:
        values = _closed(info.annotation)
        if stored in self.leads:
            self.leading[name] = stored
        elif values:
            self.closed[name] = stored, values
        else:
            self.equal[name] = stored


def _filters_of(query: type[BaseModel]) -> Iterator[tuple[str, FilterKind, FieldInfo]]:
    for name, info in query.model_fields.items():
        yield from ((name, filter, info) for filter in info.metadata if isinstance(filter, _FILTER_KINDS))


def _closed(annotation: Any) -> list[Any]:
    """All values of an enumeration or of a boolean, also of one that may be left out; of anything else none."""
    for kind in (annotation, *get_args(annotation)):
        if kind is bool:
            return [False, True]
        if isinstance(kind, type) and issubclass(kind, Enum):
            return [one.value for one in kind]
    return []


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
