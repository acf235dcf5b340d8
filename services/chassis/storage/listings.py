"""A list is declared once: its filters and orders make its indexes, its plans, its cursors and its counts."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel, Field

from services.chassis.domain.entity import Entity, Stored, field_name
from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import NOBODY, Actor
from services.chassis.storage import plans, search
from services.chassis.storage.filters import Asked, Filters
from services.chassis.storage.mongo import Among, DatabaseIndex, Document
from services.chassis.storage.plans import Branch
from services.chassis.storage.store import Store

E = TypeVar("E", bound=Entity[Any])
Q = TypeVar("Q", bound=PageQuery)

MOST_COUNTED = 1_000
"""A badge counts up to this; of more it says that there are more."""
MOST_READ = 10_000
"""A count reads at most this many entries of which not everything that is asked for stands in the index."""
_READ, _LOOKS = 200, 20
"""How many documents a search reads at once, and how often for one page; the rest is behind the cursor."""
_RARE = 500

LISTINGS: dict[type[Stored], list["Listing[Any, Any]"]] = {}
"""Every list by what it lists; ``migrate`` builds their indexes."""


class FiltersUnfit(Refusal):
    kind = Kind.INVALID


class Count(BaseModel):
    """How many entries of a list have one value of a field."""

    value: str = Field(description="as the filter takes it", examples=["in_progress"])
    count: int = Field(description="at most 1,000 are counted")
    more: bool = Field(description="whether there are, or may be, more than were counted")

    @classmethod
    def of(cls, value: object, number: int, *, unread: bool) -> Self:
        """``number`` may be more than is shown; ``unread``: some entries were not looked at."""
        more = number > MOST_COUNTED or unread
        return cls(value=str(value).lower(), count=min(number, MOST_COUNTED), more=more)


class Counts(BaseModel):
    """How many entries of a list there are for each value of one field."""

    by: str = Field(description="the filter whose values these are", examples=["state"])
    counts: list[Count]


class Listing(Generic[E, Q]):
    """One list of entities.

    ``query`` declares the filters, each with its mark (``Is``, ``One``, ``Within``, ``Has``, ``Since``, ``Before``,
    ``AtLeast``, ``Matching``); its field ``sort``, where it has one, declares the orders. All filters combine.
    ``leads`` are the fields by which an actor's part of the list is found, the most selective first; ``few`` are those
    of which so few entries have the same value that their filters need no index. ``only`` is what all entries have.
    TypeError where a field is not one of the entity.
    """

    def __init__(
        self,
        kind: type[E],
        query: type[Q],
        *,
        leads: Sequence[str] = (),
        few: Sequence[str] = (),
        only: Mapping[str, Any] | None = None,
        order: str = "id",
        counts: Sequence[str] = (),
    ) -> None:
        self.kind, self.query, self.counts = kind, query, tuple(counts)
        self.filters = Filters.of(kind, query, leads, few, only or {})
        sort = query.model_fields.get("sort")
        names = [str(one) for one in cast(type[StrEnum], sort.annotation)] if sort else [order]
        self.orders = {name: _order(kind, name) for name in names}
        if unknown := set(counts) - self.filters.closed.keys():
            raise TypeError(f"no closed list of values to count by: {unknown}")
        LISTINGS.setdefault(kind, []).append(self)

    def indexes(self) -> Iterator[DatabaseIndex]:
        """The indexes of all plans of this list."""
        fields = dict.fromkeys(order.field for order in self.orders.values())
        seen_by_all = self.kind.visible(NOBODY).everything
        for columns, field in itertools.product(plans.columns(self.filters, seen_by_all=seen_by_all), fields):
            names = _with_order(columns, field)
            if len(names) > 1:  # every collection has that of its ids
                yield DatabaseIndex(names)
        few = plans.rare_columns(self.filters, seen_by_all=seen_by_all)
        for columns, field, rare in itertools.product(few, fields, self.filters.rare.values()):
            yield DatabaseIndex((*_with_order(columns, field), rare), above=(rare, 0))
        for along, field in itertools.product(self.filters.words.values(), fields):
            if along in ("", field):
                yield DatabaseIndex(_with_order((search.FIELD,), field))

    def order_of(self, query: PageQuery) -> Order:
        """The order that is asked for, or the only one."""
        return self.orders[str(getattr(query, "sort", next(iter(self.orders))))]

    def branches(self, actor: Actor, query: BaseModel) -> list[Branch]:
        """What the actor may see of what is asked for, part by part."""
        return plans.branches(self.filters, self.kind.visible(actor), self.filters.asked(query))

    async def page(self, store: Store, query: Q) -> Page[E]:
        """The entries that the actor may see, a page at a time. CursorInvalid, FiltersUnfit."""
        order, asked = self.order_of(query), self.filters.asked(query)
        self._expect_fit(asked, order)
        if asked.one:
            where = _all(asked.one, asked.leads, asked.common)
            return Page(await store.find(self.kind, where, order=order, limit=1))
        if asked.words is not None:
            return await self._search(store, query, asked)
        beyond = order.beyond({**asked.leads, **asked.common}, query.after)
        found = await asyncio.gather(
            *(self._along(store, one, beyond, order, query.limit + 1) for one in self.branches(store.actor, query))
        )
        entries = list({entry.id: entry for entry in itertools.chain(*found)}.values())
        entries.sort(key=lambda entry: _place(order, entry), reverse=order.descending)
        return _page(entries, query.limit, order, {**asked.leads, **asked.common})

    async def count(self, store: Store, query: BaseModel, by: str) -> Counts:
        """How many entries that the actor may see there are for each value of the filter ``by``, up to 1,000 of each.

        KeyError where the list is not counted by it.
        """
        stored, values = self.filters.closed[by]
        asked = self.filters.asked(query).closed.get(stored)
        values = values if asked is None or isinstance(asked, dict) else [asked]
        each = [query.model_copy(update={by: value}) for value in values]
        numbers = await asyncio.gather(*(self._number(store, one) for one in each))
        return Counts(
            by=by,
            counts=[
                Count.of(value, number, unread=unread) for value, (number, unread) in zip(values, numbers, strict=True)
            ],
        )

    async def _number(self, store: Store, query: BaseModel) -> tuple[int, bool]:
        """How many, counted branch by branch to just beyond the most that is shown; whether some were left unread."""
        branches, number, unread = self.branches(store.actor, query), 0, False
        for place, branch in enumerate(branches):
            earlier = [one.where for one in branches[:place]]
            found, more = await self._counted(store.as_system(), branch, earlier, MOST_COUNTED + 1 - number)
            number, unread = number + found, unread or more
            if number > MOST_COUNTED:
                break
        return number, unread

    async def _counted(self, store: Store, branch: Branch, earlier: list[Document], limit: int) -> tuple[int, bool]:
        """How many entries a branch has that no earlier one has, up to ``limit``; whether some were left unread."""
        order = next(iter(self.orders.values()))
        hint, inside = _index_name(branch.columns, order.field), {*branch.columns, order.field}
        along = {name: value for name, value in branch.where.items() if name in inside}
        rest = {name: value for name, value in branch.where.items() if name not in inside}
        rest |= {"$nor": earlier} if earlier else {}
        if not rest:
            return await store.count(self.kind, along, limit=limit, hint=hint), False
        number = await store.count(self.kind, along, limit=limit, hint=hint, among=Among(MOST_READ, rest))
        unread = number < limit and await store.count(self.kind, along, limit=MOST_READ + 1, hint=hint) > MOST_READ
        return number, unread

    async def _along(self, store: Store, branch: Branch, beyond: Document, order: Order, limit: int) -> list[E]:
        where, hint = _all(branch.where, beyond), _index_name(branch.columns, order.field, branch.rare)
        return await store.as_system().find(self.kind, where, order=order, limit=limit, hint=hint)

    async def _search(self, store: Store, query: Q, asked: Asked) -> Page[E]:
        """What has the rarest of the tokens, along the index of tokens; then looked through for the words."""
        system, tokens = store.as_system(), search.asked(self.kind, asked.words or "", store.vault.master)
        counts = [system.count(self.kind, {search.FIELD: token}, limit=_RARE) for token in tokens]
        by_number = sorted(zip(await asyncio.gather(*counts), tokens, strict=True))
        if not by_number or not by_number[0][0]:
            return Page([])
        wanted = [{search.FIELD: token} for _, token in by_number]
        beside = [{search.FIELD: token} for token in search.value_tokens(*asked.token, ())] if asked.token else []
        seen = self.kind.visible(store.actor).filter()
        return await self._looked_through(store, query, _all(*wanted, *beside, asked.leads, asked.common, seen))

    async def _looked_through(self, store: Store, query: Q, where: Document) -> Page[E]:
        found: list[E] = []
        order, words, after = self.order_of(query), self.filters.asked(query).words or "", query.after
        hint = _index_name((search.FIELD,), order.field)
        for _ in range(_LOOKS):
            beyond = order.beyond(where, after)
            read = await store.as_system().find(self.kind, beyond, order=order, limit=_READ, hint=hint)
            found += await search.having(read, words, store.vault)
            if len(found) > query.limit or len(read) < _READ:
                return _page(found, query.limit, order, where)
            after = order.cursor(where, _as_document(read[-1]))
        return Page(found, after)

    def _expect_fit(self, asked: Asked, order: Order) -> None:
        needs = {name: stored for name, (stored, _) in self.filters.spans.items() if stored in asked.spans}
        if asked.words is not None:
            needs |= {name: along for name, along in self.filters.words.items() if along}
        wrong = {name: stored for name, stored in needs.items() if stored != order.field}
        if wrong:
            raise FiltersUnfit(filters=" / ".join(wrong), field=field_name(next(iter(wrong.values()))))


def _order(kind: type[Stored], name: str) -> Order:
    return Order(kind.stored_name(name.removeprefix("-")), descending=name.startswith("-"))


def _with_order(columns: Sequence[str], field: str) -> tuple[str, ...]:
    return (*columns, "_id") if field == "_id" else (*columns, field, "_id")


def _index_name(columns: Sequence[str], field: str, rare: str = "") -> str:
    names = (*_with_order(columns, field), *filter(None, [rare]))
    return "_id_" if names == ("_id",) else "_".join(f"{name}_1" for name in names)


def _place(order: Order, entry: Entity[Any]) -> tuple[Any, str]:
    return getattr(entry, field_name(order.field)), entry.id


def _all(*conditions: Document) -> Document:
    asked = [one for one in conditions if one]
    return {"$and": asked} if len(asked) > 1 else asked[0] if asked else {}


def _page(entries: list[E], limit: int, order: Order, where: Document) -> Page[E]:
    page = entries[:limit]
    return Page(page, order.cursor(where, _as_document(page[-1])) if len(entries) > limit else None)


def _as_document(entry: Entity[Any]) -> Document:
    return {"_id": entry.id, "state": entry.as_stored()}
