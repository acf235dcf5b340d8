"""Along which index each part of a list is read: one part for each way in which an actor may see its entries."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.chassis.domain.scope import Visible
from services.chassis.storage import search
from services.chassis.storage.filters import UNDER, Asked, Filters
from services.chassis.storage.mongo import Document

_MERGED = 200
"""MongoDB merges at most this many index ranges in order (internalQueryMaxScansToExplode); beyond that it sorts."""

Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One part of a list: its condition, and the columns of its index before those of the order."""

    where: Document
    columns: Columns
    rare: str = ""
    """The field by which its index holds only few entries; it stands behind those of the order."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of seeing: the values of one field, and what is asked for of the other leading fields."""

    field: str
    values: Sequence[str]
    rest: Document

    def values_of(self, lead: str) -> Sequence[str]:
        """What of a leading field this way may see."""
        return self.values if lead == self.field else [self.rest[lead]] if lead in self.rest else []

    def beside(self, lead: str) -> Document:
        """The conditions on the other fields."""
        own = {self.field: one_of(self.values)} if self.field else {}
        return {name: value for name, value in {**own, **self.rest}.items() if name != lead}


def branches(filters: Filters, visible: Visible, asked: Asked) -> list[Branch]:
    """What an actor may see of what is asked for.

    Each is read along an index of its own: MongoDB would sort in memory what one condition with ``$or`` finds. Many
    places or organisations are more than one branch, so that none has more stretches than are merged in order.
    """
    if visible.everything:
        return list(_cut(filters, _Way("", (), asked.leads), asked))
    found: list[Branch] = []
    for name, values in visible.any_of:
        own = _narrowed(filters, name, values, asked.leads.get(name))
        rest = {other: value for other, value in asked.leads.items() if other != name}
        mine = list(_cut(filters, _Way(name, own, rest), asked)) if own else []
        if own and own == [asked.leads.get(name)]:
            return mine  # all that is asked for is theirs in this way: the others add nothing
        found += mine
    return found


def columns(filters: Filters, *, seen_by_all: bool) -> Iterator[Columns]:
    """The columns of every index that a branch may be read along, before those of the order."""
    if seen_by_all:
        yield from _between(filters, ())
    for lead in filters.leads:
        yield from [(lead,)] if lead in filters.few else _between(filters, (lead,))
    if filters.has:
        yield from _between(filters, (search.FIELD,))


def rare_columns(filters: Filters, *, seen_by_all: bool) -> Iterator[Columns]:
    """The same of the indexes that hold few entries: the other open filters need none there."""
    closed = tuple(stored for stored, _ in filters.closed.values())
    leads = [(), *((lead,) for lead in filters.leads if lead not in filters.few)]
    for lead in leads if seen_by_all else leads[1:]:
        yield (*lead, *filters.only, *closed)


def one_of(values: Sequence[str]) -> Document | str:
    """The condition that a field has one of these values."""
    return values[0] if len(values) == 1 else {"$in": [*values]}


def _between(filters: Filters, lead: Columns) -> Iterator[Columns]:
    """The lead by itself, and with every choice of the open filters; where one is chosen, all closed ones follow it."""
    closed = tuple(stored for stored, _ in filters.closed.values())
    free = [stored for stored in filters.equal.values() if stored not in lead]
    for size in range(len(free) + 1):
        for chosen in itertools.combinations(free, size):
            if not chosen:
                yield (*lead, *filters.only)
            if chosen or closed:
                yield (*lead, *filters.only, *chosen, *closed)


def _cut(filters: Filters, way: _Way, asked: Asked) -> Iterator[Branch]:
    lead, values = _lead(filters, way, asked)
    beside = way.beside(UNDER if lead == search.FIELD else lead)
    along = _along(filters, lead, asked)
    if not lead:
        yield Branch({**beside, **asked.common}, *along)
    together = max(1, _MERGED // _stretches(asked.closed))
    for start in range(0, len(values), together):
        where = {lead: one_of(values[start : start + together]), **beside, **asked.common}
        yield Branch(where, *along)


def _lead(filters: Filters, way: _Way, asked: Asked) -> tuple[str, Sequence[str]]:
    """The first column and its values. What has one of several values is found by tokens that name the places too."""
    if asked.token:
        field, value = asked.token
        return search.FIELD, search.value_tokens(field, value, way.values_of(UNDER))
    known = (lead for lead in filters.leads if lead == way.field or lead in way.rest)
    lead = next(known, "")
    if way.field and not lead:
        raise LookupError(f"the list has no lead for what is visible by {way.field}")
    return lead, way.values_of(lead)


def _along(filters: Filters, lead: str, asked: Asked) -> tuple[Columns, str]:
    """The columns before those of the order, and the field by which the index holds few entries."""
    if lead in filters.few:
        return (lead,), ""
    rare = "" if lead == search.FIELD else next(iter(asked.rare), "")
    equal = filters.only if rare else asked.equal
    return (*([lead] if lead else []), *equal, *asked.closed), rare


def _stretches(closed: Document) -> int:
    """Into how many stretches of an index the closed filters fall, for each value of the first column."""
    return math.prod(len(asked["$in"]) for asked in closed.values() if isinstance(asked, dict))


def _narrowed(filters: Filters, name: str, values: Sequence[str], asked: str | None) -> list[str]:
    """Of places or organisations those that are asked for: of two places of which one holds the other, the smaller."""
    if asked is None:
        return [*values]
    if name != UNDER:
        return [value for value in values if value == asked]
    path = filters.path[0]
    if not set(values).isdisjoint(path(asked)):
        return [asked]
    return [value for value in values if asked in path(value)]
