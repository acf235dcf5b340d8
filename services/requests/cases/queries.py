"""How cases are listed, and the sealed words in them."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Literal, Self, TypeVar

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.values import Instant, Moment, Sealed, midnight_in
from services.chassis.domain.words import Words
from services.chassis.storage.filters import AtLeast, Before, Is, Matching, One, Since, Within
from services.chassis.storage.listings import Counts, Listing
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.requests.dangers import Advice, read
from services.contracts.requests.tracking import normal
from services.requests.calendar.queries import working, zone
from services.requests.cases.model import READERS, Case
from services.requests.cases.states.model import State

Q = TypeVar("Q", bound="CaseQuery")


class Sort(StrEnum):
    """The orders of the list; ``-`` is newest or latest first."""

    OLDEST = "filed_at"
    NEWEST = "-filed_at"
    DUE_FIRST = "due_at"
    DUE_LAST = "-due_at"


class CaseFilters(BaseModel):
    """Which requests are meant."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[State | None, Is("state"), Field(description="are in this state")] = None
    item: Annotated[str | None, Is("item"), Field(max_length=64, description="ask for this item of the catalogue")] = (
        None
    )
    area: Annotated[AreaCode | None, Within(path), Field(description="lie in this area")] = None
    handler: Annotated[
        str | None, Is("handler_id"), Field(max_length=80, description="are with this organisation or team")
    ] = None
    overdue: Annotated[bool | None, Is("overdue"), Field(description="are open and late, or are not")] = None


def _as_stored(number: str) -> str:
    return normal(number) or number


class CaseQuery(CaseFilters, PageQuery):
    """Which requests. All filters combine; those by time and by words go with an order by time of filing."""

    filed_after: Annotated[
        Moment | None, Since("filed_at"), Field(description="were filed on this day or at this instant, or later")
    ] = None
    filed_before: Annotated[
        Moment | None, Before("filed_at"), Field(description="were filed before this day or instant")
    ] = None
    number: Annotated[
        Annotated[str, AfterValidator(_as_stored), Field(max_length=40)] | None,
        One("number"),
        Field(description="has this number, however it is typed", examples=["261123-7K3QX-4"]),
    ] = None
    q: Annotated[
        str | None, Matching("filed_at"), Field(min_length=2, max_length=40, description="have this in their title")
    ] = None
    level: Annotated[
        int | None, AtLeast("level"), Field(ge=1, le=9, description="were escalated this many levels, or more")
    ] = None
    urged: Annotated[
        int | None, AtLeast("urged"), Field(ge=1, le=99, description="were urged this many times, or more")
    ] = None
    sort: Sort = Sort.NEWEST


class FindCases(CaseQuery, Command):
    """Which requests, also those of one person; in a body, since addresses are written to logs."""

    person: Annotated[
        str | None, Is("resident_id"), Field(max_length=80, description="the id of whose they are, see /v1/people/find")
    ] = None


class CaseCount(CaseFilters):
    """Which requests are counted, and by what."""

    by: Annotated[Literal["state", "overdue"], Field(description="a number for each value of this filter")]


FOLLOWERS = "how many others follow it, who would have asked for the same"
LEVEL = "how many levels it was escalated"
DUE_CERTAIN = "false where it is due in a year whose holidays are not known yet: they may move it"
DANGERS = "the kinds of danger that its words name, until staff find that there is none"
PAUSED = "until when its clock stands at the longest; null while it runs"
DUE = "by when it is to be done; while it is paused, if the pause lasts until `paused_until`"

CASES = Listing(Case, CaseQuery, leads=("handler_id", "under"), few=("resident_id",), counts=("state", "overdue"))
FOUND = Listing(Case, FindCases, leads=("handler_id", "under"), few=("resident_id",))


class CaseSummary(BaseModel):
    """A request in a list."""

    id: str
    number: str = Field(examples=["261123-7K3QX-4"])
    state: str
    state_name: Words
    item: str
    item_name: Words
    area: str
    title: str | None = Field(description="null where its words are forgotten")
    dangers: list[str] = Field(description=DANGERS)
    filed_at: Instant
    due_at: Instant = Field(description=DUE)
    overdue: bool
    due_certain: bool = Field(description=DUE_CERTAIN)
    level: int = Field(description=LEVEL)
    urged: int
    followers: int = Field(description=FOLLOWERS)
    handler: Words | None = Field(description="who has it")
    handler_id: str | None
    paused_until: Instant | None = Field(description=PAUSED)

    @classmethod
    def of(cls, case: Case, ctx: Context) -> Self:
        """Its line."""
        return cls(
            id=case.id,
            number=case.number,
            state=case.state,
            state_name=ctx.container.texts.words("states", case.state),
            item=case.item,
            item_name=case.item_name,
            area=case.area,
            title=opened(ctx, case, "title", case.title),
            dangers=dangers_in(ctx, case),
            filed_at=case.filed_at,
            due_at=case.due_at,
            overdue=case.overdue,
            due_certain=due_certain(ctx, case),
            level=case.level,
            urged=case.urged,
            followers=len(case.followers),
            handler=case.handler_name,
            handler_id=case.handler_id,
            paused_until=case.paused_until,
        )


@usecase(allow=READERS)
async def list_cases(ctx: Context, query: CaseQuery) -> Page[Case]:
    """Find requests: a resident one's own, staff those of their places and organisations."""
    return await CASES.page(ctx.store, _in_the_city(ctx, query))


@usecase(allow=READERS)
async def find_cases(ctx: Context, cmd: FindCases) -> Page[Case]:
    """Find requests by number or person, and by all that a list is narrowed with."""
    return await FOUND.page(ctx.store, _in_the_city(ctx, cmd))


@usecase(allow=READERS)
async def count_cases(ctx: Context, query: CaseCount) -> Counts:
    """Count requests by their state or by whether they are late, up to 1,000 of each, for the numbers on badges."""
    return await CASES.count(ctx.store, query, query.by)


def _in_the_city(ctx: Context, query: Q) -> Q:
    """The query with days as they begin in the city."""
    midnight = partial(midnight_in, zone(ctx))
    asked = {name: getattr(query, name) for name in ("filed_after", "filed_before")}
    return query.model_copy(update={name: moment and midnight(moment) for name, moment in asked.items()})


def due_certain(ctx: Context, case: Case) -> bool:
    """Whether the holidays are known up to the day on which a case is due."""
    return case.is_danger or working(ctx).covers(case.due_at)


def sealed(ctx: Context, case: Case, field: str, text: str) -> Sealed:
    """Words that belong to a case, sealed under its key; Erased where that is gone."""
    return ctx.vault.seal_own(text, case, field)


def advice_in(ctx: Context, case: Case) -> list[Advice]:
    """What its resident was told to do at once."""
    words = opened(ctx, case, "advice", case.advice)
    return read(words) if words else []


def dangers_in(ctx: Context, case: Case) -> list[str]:
    """The kinds of danger that its words name, as long as staff have not found that there is none."""
    return [] if case.unfounded else [one.kind for one in advice_in(ctx, case) if one.kind is not None]


def position_of(ctx: Context, case: Case) -> tuple[float, float] | tuple[None, None]:
    """Where it is (latitude and longitude in degrees), as far as that was told and is not forgotten."""
    said = opened(ctx, case, "position", case.position)
    if said is None:
        return None, None
    latitude, longitude = map(float, said.split())
    return latitude, longitude


def answers_of(ctx: Context, case: Case) -> dict[str, Any] | None:
    """The answers to the questions of the item's form."""
    words = opened(ctx, case, "answers", case.answers)
    given: dict[str, Any] | None = orjson.loads(words) if words else None
    return given


def opened(ctx: Context, case: Case, field: str, words: Sealed | None) -> str | None:
    """Words of a case again; None where there are none, or where they are forgotten."""
    return ctx.vault.open_own(words, case, field) if words else None
