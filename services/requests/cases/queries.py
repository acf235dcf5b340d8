"""How cases are listed, and the sealed words in them."""

import asyncio
import itertools
import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Instant, Sealed
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.requests.cases.model import READERS, Case
from services.requests.cases.states.model import State

_MERGED = 200
"""So many stretches of an index MongoDB merges in order (internalQueryMaxScansToExplode); of more it sorts."""


class FiltersUnfit(Refusal):
    kind = Kind.INVALID


class Sort(StrEnum):
    """The orders of the list; ``-`` is newest or latest first."""

    OLDEST = "filed_at"
    NEWEST = "-filed_at"
    DUE_FIRST = "due_at"
    DUE_LAST = "-due_at"


class CaseQuery(PageQuery):
    """Which requests. All filters combine; those by time go with an order by time of filing."""

    state: Annotated[State | None, Field(description="are in this state")] = None
    item: Annotated[str | None, Field(max_length=64, description="ask for this item of the catalogue")] = None
    area: Annotated[AreaCode | None, Field(description="lie in this area")] = None
    handler: Annotated[str | None, Field(max_length=80, description="are with this organisation or team")] = None
    overdue: Annotated[bool | None, Field(description="are open and late, or are not")] = None
    filed_after: Annotated[Instant | None, Field(description="were filed at this instant or later")] = None
    filed_before: Annotated[Instant | None, Field(description="were filed before this instant")] = None
    sort: Sort = Sort.NEWEST


class CaseLine(BaseModel):
    """A request as a list shows it."""

    id: str
    number: str = Field(examples=["261123-7K3QX-4"])
    state: str
    state_name: Words
    item: str
    item_name: Words
    area: str
    title: str | None = Field(description="null where its resident's data was erased")
    filed_at: Instant
    due_at: Instant
    overdue: bool
    level: int = Field(description="how many levels it has climbed because nobody settled it")
    urged: int
    handler: Words | None = Field(description="who has it")

    @classmethod
    def of(cls, case: Case, ctx: Context) -> Self:
        """Its line."""
        return cls(
            id=case.id,
            number=case.number,
            state=case.state,
            state_name=ctx.container.texts.words("states", case.state),
            item=case.item,
            item_name=Words(zh=case.item_zh, en=case.item_en),
            area=case.area,
            title=opened(ctx, case, "title", case.title),
            filed_at=case.filed_at,
            due_at=case.due_at,
            overdue=case.overdue,
            level=case.level,
            urged=case.urged,
            handler=handler_of(case),
        )


@usecase(allow=READERS)
async def list_cases(ctx: Context, query: CaseQuery) -> Page[Case]:
    """Find requests: a resident one's own, staff those of their places and organisations."""
    if (query.filed_after or query.filed_before) and query.sort not in (Sort.OLDEST, Sort.NEWEST):
        raise FiltersUnfit
    order = Order(f"state.{query.sort.removeprefix('-')}", descending=query.sort.startswith("-"))
    asked = filters(query)
    beyond = order.beyond(asked, query.after)
    found = await asyncio.gather(*(_along(ctx, branch, beyond, order, query) for branch in branches(ctx.actor, query)))
    cases = list({case.id: case for case in itertools.chain(*found)}.values())
    cases.sort(key=lambda case: (getattr(case, order.field.removeprefix("state.")), case.id), reverse=order.descending)
    more, page = len(cases) > query.limit, cases[: query.limit]
    last = {"_id": page[-1].id, "state": page[-1].as_stored()} if more else {}
    return Page(page, order.cursor(asked, last) if more else None)


def filters(query: CaseQuery) -> dict[str, Any]:
    """The filters on stored documents; what is not asked for is spelled out where an index has it in between."""
    where: dict[str, Any] = {"state.item": query.item} if query.item else {}
    if query.item or query.state or query.overdue is not None:
        where["state.state"] = query.state.value if query.state else {"$in": [state.value for state in State]}
        where["state.overdue"] = {"$in": [False, True]} if query.overdue is None else query.overdue
    span = {"$gte": query.filed_after, "$lt": query.filed_before}
    if any(span.values()):
        where["state.filed_at"] = {step: at for step, at in span.items() if at}
    return where


def branches(actor: Actor, query: CaseQuery) -> list[dict[str, Any]]:
    """What the actor may see of what is asked for, one condition for each way in which a case is theirs.

    Each is looked up along an index of its own: MongoDB would sort in memory what one condition with ``$or`` finds.
    Many places or organisations are more than one branch, so that none has more stretches than are merged in order.
    """
    found: list[dict[str, Any]] = []
    together = _MERGED // _stretches(filters(query))
    for name, values in Case.visible(actor).any_of:
        asked = {"under": query.area, "state.handler_id": query.handler}
        own = _narrowed(name, values, asked.pop(name, None))
        rest = {field: value for field, value in asked.items() if value}
        parts = (own[start : start + together] for start in range(0, len(own), together))
        found += [{name: some[0] if len(some) == 1 else {"$in": some}, **rest} for some in parts]
        if own and own in ([query.area], [query.handler]):
            return found[-1:]  # all that is asked for is theirs in this way: the others add nothing
    return found


def index_for(branch: dict[str, Any], query: CaseQuery) -> str:
    """The name of the index along which a branch is read."""
    lead = next(name for name in ("state.resident_id", "state.handler_id", "under") if name in branch)
    known = [name for name in ("state.item", "state.state", "state.overdue") if name in filters(query)]
    between = [] if lead == "state.resident_id" else known
    return "_".join(f"{name}_1" for name in (lead, *between, f"state.{query.sort.removeprefix('-')}", "_id"))


def _stretches(where: dict[str, Any]) -> int:
    """Into how many stretches of an index these filters fall, for each place or organisation."""
    return math.prod(len(asked["$in"]) for asked in where.values() if isinstance(asked, dict) and "$in" in asked)


def _narrowed(name: str, values: Sequence[str], asked: str | None) -> list[str]:
    """Of places or organisations those that are asked for: of two places of which one holds the other, the smaller."""
    if asked is None:
        return [*values]
    if name != "under":
        return [value for value in values if value == asked]
    if not set(values).isdisjoint(path(asked)):
        return [asked]
    return [value for value in values if asked in path(value)]


async def _along(
    ctx: Context, branch: dict[str, Any], beyond: dict[str, Any], order: Order, query: CaseQuery
) -> list[Case]:
    where = {"$and": [branch, beyond]} if beyond else branch
    container = ctx.store.as_system()  # the branch is what the actor may see
    return await container.find(Case, where, order=order, limit=query.limit + 1, hint=index_for(branch, query))


def handler_of(case: Case) -> Words | None:
    """Who has it, by name."""
    return Words(zh=case.handler_zh, en=case.handler_en or case.handler_zh) if case.handler_zh else None


async def sealed(ctx: Context, case: Case, field: str, text: str) -> Sealed:
    """Words that belong to a case, sealed under its resident's key."""
    await ctx.vault.ensure_keys(case.subjects())
    return ctx.vault.seal(text, case.resident_id, field)


def position_of(ctx: Context, case: Case) -> tuple[float, float] | tuple[None, None]:
    """Where it is (latitude and longitude in degrees), as far as that was told and its resident is not erased."""
    said = opened(ctx, case, "position", case.position)
    if said is None:
        return None, None
    latitude, longitude = map(float, said.split())
    return latitude, longitude


def opened(ctx: Context, case: Case, field: str, words: Sealed | None) -> str | None:
    """Words of a case again, whose key is held; None where there are none, or the resident was erased."""
    return ctx.vault.open(words, case.resident_id, field) if words else None
