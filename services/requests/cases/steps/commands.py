"""The steps that need nothing but the case: taking it on, doing it, asking after it, rating it, words about it."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.values import Text
from services.chassis.usecase import Command, Context, usecase
from services.contracts.requests.cases import (
    CaseAccepted,
    CaseCalledBack,
    CaseClosed,
    CaseRated,
    CaseResolved,
    CaseStarted,
    CloseReason,
    CommentAdded,
)
from services.requests.cases.model import Case
from services.requests.cases.queries import sealed
from services.requests.cases.steps import model
from services.requests.cases.steps.model import Step, may


class ResolveCase(Command):
    """What came of it, and what the resident is told."""

    outcome: CloseReason = CloseReason.FIXED
    answer: Text


class CallBack(Command):
    """What the resident said when asked: reached, solved, satisfied."""

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    note: Text | None = None


class RateCase(Command):
    """How it was, from 1 to 5, and whether the matter is settled."""

    score: Annotated[int, Field(ge=1, le=5)]
    solved: bool
    remark: Text | None = None


class CloseCase(Command):
    """Why it is closed; as it was resolved where nothing is said."""

    reason: CloseReason | None = None


class AddComment(Command):
    """Words about a case."""

    text: Text
    public: Annotated[bool, Field(description="shown to the resident; what residents write always is")] = True


@usecase(allow=may(Step.ACCEPT))
async def accept(ctx: Context, case_id: str) -> Case:
    """Take on a case that was given to your organisation."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.ACCEPT, ctx.actor, ctx.now())
        case.record(CaseAccepted())
    return case


@usecase(allow=may(Step.START))
async def start(ctx: Context, case_id: str) -> Case:
    """Begin the work on a case."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.START, ctx.actor, ctx.now())
        case.record(CaseStarted())
    return case


@usecase(allow=may(Step.RESOLVE))
async def resolve(ctx: Context, case_id: str, cmd: ResolveCase) -> Case:
    """Say that a case is done, with an answer to its resident."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.RESOLVE, ctx.actor, ctx.now())
        answer = await sealed(ctx, case, "answer", cmd.answer)
        case.record(CaseResolved(outcome=cmd.outcome, answer=answer, resolved_at=ctx.now()))
    return case


@usecase(allow=may(Step.CALL_BACK))
async def call_back(ctx: Context, case_id: str, cmd: CallBack) -> Case:
    """Note what the resident said when called after a case was resolved."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.CALL_BACK, ctx.actor, ctx.now())
        note = await sealed(ctx, case, "note", cmd.note) if cmd.note else None
        case.record(CaseCalledBack(reached=cmd.reached, solved=cmd.solved, satisfied=cmd.satisfied, note=note))
    return case


@usecase(allow=may(Step.RATE))
async def rate(ctx: Context, case_id: str, cmd: RateCase) -> Case:
    """Rate what was done for you; a matter that is settled is closed with it."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.RATE, ctx.actor, ctx.now())
        remark = await sealed(ctx, case, "remark", cmd.remark) if cmd.remark else None
        model.rate(case, CaseRated(score=cmd.score, solved=cmd.solved, remark=remark))
    return case


@usecase(allow=may(Step.CLOSE))
async def close(ctx: Context, case_id: str, cmd: CloseCase) -> Case:
    """Close a case that was resolved; its resident may still have it reopened for a while."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.CLOSE, ctx.actor, ctx.now())
        case.record(CaseClosed(reason=cmd.reason or case.outcome or CloseReason.NO_ACTION))
    return case


@usecase(allow=may(Step.COMMENT))
async def comment(ctx: Context, case_id: str, cmd: AddComment) -> Case:
    """Add words to a case; they change no limit."""
    async with ctx.store.change(Case, case_id) as case:
        model.expect(case, Step.COMMENT, ctx.actor, ctx.now())
        by_resident = case.is_of(ctx.actor)
        text = await sealed(ctx, case, "text", cmd.text)
        public = cmd.public or by_resident
        case.record(CommentAdded(text=text, public=public, author_id=ctx.actor.id, by_resident=by_resident))
    return case
