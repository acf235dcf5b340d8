"""The timeline of a case, read from its history."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.domain.paging import Page
from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.requests.cases.model import READERS, Case
from services.requests.cases.queries import opened
from services.requests.cases.steps.queries import sees_inside
from services.requests.cases.timelines import model
from services.requests.cases.timelines.model import Doer, TimelineEvent


class TimelineQuery(BaseModel):
    """How much of it, and from where."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200, description="entries a page")] = 100
    after: Annotated[int, Field(ge=0, description="`next` of the page before")] = 0


class TimelineEntry(BaseModel):
    """One thing that happened to a case."""

    version: int
    at: Instant
    what: str = Field(examples=["CaseAccepted"])
    name: Words
    by: str = Field(description="resident, follower, handler, staff or system: never a person's name")
    body: Words | None = Field(description="the organisation or team, where the one that has the case did it")
    words: str | None = Field(description="what was said with it")
    facts: dict[str, Any]


@usecase(allow=READERS)
async def list_timeline(ctx: Context, case_id: str, query: TimelineQuery) -> Page[TimelineEntry]:
    """See what happened to a request, step by step: when, by whom, and what was said."""
    case, history = await ctx.store.get(Case, case_id), await ctx.store.history(Case, case_id)
    inside = sees_inside(case, ctx)
    shown = [one for one in model.read(history) if inside or not model.is_inside(one.event)]
    rest = [one for one in shown if one.recorded.version > query.after]
    page = [_entry(ctx, case, one, inside=inside) for one in rest[: query.limit]]
    return Page(page, str(page[-1].version) if len(rest) > len(page) else None)


def _entry(ctx: Context, case: Case, one: TimelineEvent, *, inside: bool) -> TimelineEntry:
    display, words = one.display, one.display.words_for(staff=inside)
    data = one.event.model_dump(mode="json")
    return TimelineEntry(
        version=one.recorded.version,
        at=one.recorded.at,
        what=type(one.event).__name__,
        name=ctx.container.texts.words("timeline", type(one.event).__name__),
        by=one.doer,
        body=one.handler if one.doer is Doer.HANDLER else None,
        words=opened(ctx, case, words, getattr(one.event, words)) if words else None,
        facts={name: data[name] for name in display.facts},
    )
