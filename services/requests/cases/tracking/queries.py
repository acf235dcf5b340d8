"""Tracking a case by its number."""

import hmac
from collections import deque
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.contracts.requests import tracking
from services.requests.cases.model import Case
from services.requests.cases.queries import DUE, DUE_CERTAIN, PAUSED, due_certain, opened
from services.requests.cases.tracking import model

_BY_ID = Order("_id")
_MOST_ANSWERS = 50  # staff may add any number of comments


class TrackQuery(BaseModel):
    """The code that the resident was given with the number."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=20, examples=["7K3QX-9M2WD"])]


class TrackView(BaseModel):
    """What everybody with number and code may know: nothing personal."""

    number: str = Field(examples=["261123-7K3QX-4"])
    state: str
    state_name: Words
    filed_at: Instant
    due_at: Instant = Field(description=DUE)
    overdue: bool
    due_certain: bool = Field(description=DUE_CERTAIN)
    paused_until: Instant | None = Field(description=PAUSED)
    answers: list[str] = Field(
        description="what the resident was told, the last 50 of it, oldest first; none of a sensitive case"
    )

    @classmethod
    def of(cls, ctx: Context, case: Case, answers: list[str]) -> Self:
        """Without title, text or names."""
        return cls(
            number=case.number,
            state=case.state,
            state_name=ctx.container.texts.words("states", case.state),
            filed_at=case.filed_at,
            due_at=case.due_at,
            overdue=case.overdue,
            due_certain=due_certain(ctx, case),
            paused_until=case.paused_until,
            answers=answers,
        )


@usecase(allow=PUBLIC)
async def track(ctx: Context, number: str, query: TrackQuery) -> TrackView:
    """See how a request stands, with its number and its code, without signing in."""
    known = tracking.normal(number)
    if known is None or not _opens(ctx, known, query.code):
        raise NotFound
    found = await ctx.store.as_system().find(Case, Case.where(number=known), order=_BY_ID, limit=1)
    if not found:
        raise NotFound
    case, history = found[0], await ctx.store.as_system().history(Case, found[0].id)
    if case.sensitive:  # who found a phone has number and code as well
        return TrackView.of(ctx, case, [])
    given = [opened(ctx, case, field, words) for field, words in deque(model.answers(history), maxlen=_MOST_ANSWERS)]
    return TrackView.of(ctx, case, [words for words in given if words is not None])


def code_of(ctx: Context, number: str) -> str:
    """The code for a number; the person who files the case gets both."""
    return tracking.code_from(ctx.vault.master.blind(tracking.BLIND, number))


def _opens(ctx: Context, number: str, code: str) -> bool:
    """Whether this is the number's code; takes the same time whatever is wrong."""
    return hmac.compare_digest(tracking.plain(code_of(ctx, number)), tracking.plain(code))
