"""Following a case by its number."""

import hmac
from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.values import Instant
from services.chassis.usecase import Context, usecase
from services.contracts.items import Words
from services.requests.cases.model import Case
from services.requests.cases.queries import opened
from services.requests.states.model import STATE_NAMES
from services.requests.tracking import model

_CODE_LENGTH = 6


class TrackQuery(BaseModel):
    """The code that the resident was given with the number."""

    code: Annotated[str, Field(min_length=1, max_length=20, examples=["3f09ac"])]


class TrackView(BaseModel):
    """What everybody who has number and code may know: nothing personal."""

    number: str = Field(examples=["261123-7K3QX-4"])
    state: str
    state_name: Words
    filed_at: Instant
    due_at: Instant
    overdue: bool
    answers: list[str] = Field(description="what the resident was answered")

    @classmethod
    def of(cls, case: Case, ctx: Context) -> Self:
        """Without title, text or names."""
        answer = opened(ctx, case, "answer", case.answer)
        return cls(
            number=case.number,
            state=case.state,
            state_name=STATE_NAMES[case.state],
            filed_at=case.filed_at,
            due_at=case.due_at,
            overdue=case.overdue,
            answers=[answer] if answer else [],
        )


@usecase(allow=PUBLIC)
async def track(ctx: Context, number: str, query: TrackQuery) -> Case:
    """See how a request stands, with its number and its code, without signing in."""
    known = model.normal(number)
    if known is None or not _opens(ctx, known, query.code):
        raise NotFound
    id = await ctx.store.claimed(model.CLAIM, known)
    if id is None:
        raise NotFound
    return await ctx.store.as_house().get(Case, id)


def code_of(ctx: Context, number: str) -> str:
    """The code that goes with a number: whoever filed the case is told both."""
    return ctx.vault.master.blind("track", number)[:_CODE_LENGTH]


def _opens(ctx: Context, number: str, code: str) -> bool:
    """Whether this is the number's code; takes the same time whatever is wrong."""
    return hmac.compare_digest(code_of(ctx, number).encode(), code.strip().lower().encode())
