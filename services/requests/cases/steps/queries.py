"""One case, with the steps that its reader may take now."""

from typing import Any, Self

from pydantic import BaseModel, Field

from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.chassis.usecase import Context, usecase
from services.requests.cases.clocks.model import Retention
from services.requests.cases.clocks.queries import times_of
from services.requests.cases.model import READERS, STAFF, Case
from services.requests.cases.queries import (
    DANGERS,
    DUE,
    DUE_CERTAIN,
    FOLLOWERS,
    LEVEL,
    PAUSED,
    advice_in,
    answers_of,
    dangers_in,
    due_certain,
    opened,
    position_of,
)
from services.requests.cases.states.model import OPEN
from services.requests.cases.steps import model
from services.requests.cases.steps.model import STEPS, Step
from services.requests.cases.tracking.queries import code_of
from services.requests.dangers.queries import AdviceView

REMAINING = "working hours until it is due (of a case of danger hours on the clock), negative after; null once over"
DANGER = "of a case of danger: within how many minutes somebody on call accepts it; its limits run on the clock"


class StepView(BaseModel):
    """A step that may be taken now, and its route."""

    step: str = Field(examples=["accept"])
    name: Words
    method: str
    path: str = Field(examples=["/v1/requests/case_8f3k/accept"])
    needs: tuple[str, ...] = Field(description="the fields that its body must have", examples=[["score", "solved"]])

    @classmethod
    def of(cls, step: Step, case: Case, ctx: Context) -> Self:
        """The step and its address."""
        rule, name = STEPS[step], ctx.container.texts.words("steps", step)
        return cls(step=step, name=name, method=rule.method, path=f"/v1/requests/{case.id}/{step}", needs=rule.needs)


class HandlerView(BaseModel):
    """The handler of a case."""

    id: str
    tier: str
    name: Words


class InsideView(BaseModel):
    """Details for staff only; residents do not see them."""

    resident_id: str
    filed_by: str
    channel: str
    voice_only: bool = Field(
        description="text messages do not reach its resident: call them back, or they read the track page"
    )
    forced: bool = Field(description="given by the supervisor for good: it cannot be returned")
    returns: int
    owner_id: str | None = Field(
        description="the organisation that answers for it since it was escalated; null if none is known"
    )
    owner_place: str | None
    respond_by: Instant
    calls: int = Field(description="of a case of danger: how many calls there were of who is on call")
    called: list[str] = Field(description="the ids of the people who were called: one of them accepts it")
    call_at: Instant | None = Field(description="when the next is called if nobody accepts it; null where it is over")
    linked_to: str | None = Field(description="the first case of the same danger: somebody is called about that one")
    dangers: list[str] = Field(description=DANGERS)

    @classmethod
    def of(cls, case: Case, ctx: Context) -> Self:
        """The same for all of them."""
        return cls(
            resident_id=case.resident_id,
            filed_by=case.filed_by,
            channel=case.channel,
            voice_only=case.voice_only,
            forced=case.forced,
            returns=case.returns,
            owner_id=case.owner_id,
            owner_place=case.owner_place,
            respond_by=case.respond_by,
            dangers=dangers_in(ctx, case),
            calls=case.calls,
            called=case.called,
            call_at=case.call_at,
            linked_to=case.linked_to,
        )


class CaseView(BaseModel):
    """A request."""

    id: str
    version: int
    number: str = Field(examples=["261123-7K3QX-4"])
    tracking_code: str | None = Field(description="goes with the number to follow it without signing in")
    state: str
    state_name: Words
    item: str
    item_name: Words
    system: str
    area: str
    title: str | None = Field(description="null where its words are forgotten; so are all of them")
    text: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    advice: list[AdviceView] = Field(description="what to do at once and whom to ring, where there is danger")
    answers: dict[str, Any] | None = Field(description="to the questions of the item's form")
    filed_at: Instant
    due_at: Instant = Field(description=DUE)
    remaining_hours: float | None = Field(description=REMAINING)
    overdue: bool
    accept_within_minutes: int | None = Field(description=DANGER)
    due_certain: bool = Field(description=DUE_CERTAIN)
    paused_until: Instant | None = Field(description=PAUSED)
    level: int = Field(description=LEVEL)
    handler: HandlerView | None = Field(description="who has it; null while it waits for a dispatcher")
    outcome: str | None
    answer: str | None = Field(description="what the resident was told in the end")
    resolved_at: Instant | None
    words_until: Instant | None = Field(
        description="until when its words are kept; null while it is open, and where they are kept for good or gone"
    )
    closed_because: str | None
    score: int | None
    reopened: int
    urged: int
    followers: int = Field(description=FOLLOWERS)
    steps: list[StepView] = Field(description="what you may do with it now")
    inside: InsideView | None = Field(description="for the city's own people only")

    @classmethod
    def of(cls, case: Case, ctx: Context) -> Self:
        """As this actor may see it."""
        latitude, longitude = position_of(ctx, case)
        return cls(
            id=case.id,
            version=case.version,
            number=case.number,
            tracking_code=_tracking_code(case, ctx),
            state=case.state,
            state_name=ctx.container.texts.words("states", case.state),
            item=case.item,
            item_name=case.item_name,
            system=case.system,
            area=case.area,
            title=opened(ctx, case, "title", case.title),
            text=opened(ctx, case, "text", case.text),
            address=opened(ctx, case, "address", case.address),
            latitude=latitude,
            longitude=longitude,
            advice=[AdviceView.of(one) for one in advice_in(ctx, case)],
            answers=answers_of(ctx, case),
            filed_at=case.filed_at,
            due_at=case.due_at,
            remaining_hours=_remaining_hours(case, ctx),
            overdue=case.overdue,
            accept_within_minutes=case.accept_within_minutes,
            due_certain=due_certain(ctx, case),
            paused_until=case.paused_until,
            level=case.level,
            handler=_handler(case),
            outcome=case.outcome,
            answer=opened(ctx, case, "answer", case.answer),
            resolved_at=case.resolved_at,
            words_until=ctx.dependency(Retention).end(case),
            closed_because=case.closed_because,
            score=case.score,
            reopened=case.reopened,
            urged=case.urged,
            followers=len(case.followers),
            steps=[StepView.of(step, case, ctx) for step in model.allowed(case, ctx.actor, ctx.now())],
            inside=InsideView.of(case, ctx) if sees_inside(case, ctx) else None,
        )


@usecase(allow=READERS)
async def get_case(ctx: Context, case_id: str) -> Case:
    """Look at one request: how it stands, who has it, by when, and what you may do with it now."""
    return await ctx.store.get(Case, case_id)


def sees_inside(case: Case, ctx: Context) -> bool:
    """Whether the actor sees a case as staff, not only as its resident."""
    return not case.is_of(ctx.actor) or model.is_entitled(case, ctx.actor, *STAFF)


def _tracking_code(case: Case, ctx: Context) -> str | None:
    own = case.is_of(ctx.actor) or case.filed_by == ctx.actor.id
    return code_of(ctx, case.number) if own else None


def _remaining_hours(case: Case, ctx: Context) -> float | None:
    if case.state not in OPEN:
        return None
    left = times_of(ctx, case).between(case.paused_at or ctx.now(), case.due_unpaused or case.due_at)
    return round(left.total_seconds() / 3600, 2)


def _handler(case: Case) -> HandlerView | None:
    name = case.handler_name
    return (
        HandlerView(id=case.handler_id, tier=case.tier, name=name) if name and case.handler_id and case.tier else None
    )
