"""The steps that need nothing but the case: accept, start, resolve, call back, rate, close, comment."""

from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

from pydantic import Field

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Text
from services.chassis.guards import Change, changes
from services.chassis.usecase import Command, Context, Work
from services.contracts.requests.cases import (
    CaseCalledBack,
    CaseClosed,
    CaseRated,
    CaseResolved,
    CaseStarted,
    CloseReason,
    CommentAdded,
)
from services.contracts.requests.dangers import DangerUnfounded
from services.requests.cases.model import Case
from services.requests.cases.queries import sealed
from services.requests.cases.steps import model
from services.requests.cases.steps.model import STEPS, Step, may
from services.requests.cases.taking.model import accept_for
from services.requests.providers.queries import taking

P = ParamSpec("P")

AMONG_STAFF = "read by the staff who see the case, never by its resident"
TO_WHOM_IT_SAYS = (
    "read by the staff who see the case; by its resident only if `public` or `passed_on` is true, or the resident "
    "wrote it; by who tracks the case only if `public` is true, `passed_on` is not, and staff wrote it"
)
StaffText = Annotated[Text, Field(description=AMONG_STAFF)]
SharedText = Annotated[Text, Field(description="read by the resident and by the staff who see the case")]
AnswerText = Annotated[Text, Field(description="read by the resident, by who tracks the case, and by the staff")]


class ResolveCase(Command):
    """What came of it, and what the resident is told."""

    outcome: CloseReason = CloseReason.FIXED
    answer: AnswerText


class NotReached(Refusal):
    kind = Kind.INVALID


class CallBack(Command):
    """What the resident said when asked: reached, solved, satisfied."""

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    note: StaffText | None = None


class RateCase(Command):
    """How it was, from 1 to 5, and whether the matter is settled."""

    score: Annotated[int, Field(ge=1, le=5)]
    solved: bool
    remark: SharedText | None = None


class CloseCase(Command):
    """Why it is closed; as it was resolved where nothing is said."""

    reason: CloseReason | None = None


class NoDanger(Command):
    """Why there is no danger."""

    reason: StaffText


class AddComment(Command):
    """Words about a case: a note among staff unless something else is said; what residents write is for staff."""

    text: Annotated[Text, Field(description=TO_WHOM_IT_SAYS)]
    public: Annotated[bool, Field(description="of staff: the resident is told this, and reads it")] = False
    passed_on: Annotated[bool, Field(description="of staff: this is what the resident says, who rang or came")] = False


STEP_USE_CASES: dict[Step, Work[Any, Case]] = {}
"""The use case of each step, in the order in which they are defined; from it come the routes."""


def step(step: Step) -> Callable[[Change[Case, P]], Work[Concatenate[str, P], Case]]:
    """Make a function a step with a case: who may take it, and with which case, is its line in the table of steps."""

    async def open_to(ctx: Context, case: Case, _: Any) -> None:
        model.expect(case, step, ctx.actor, ctx.now())

    def wrap(change: Change[Case, P]) -> Work[Concatenate[str, P], Case]:
        STEP_USE_CASES[step] = work = changes(Case, allow=may(step), within=open_to, live=STEPS[step].live)(change)
        return work

    return wrap


@step(Step.ACCEPT)
async def accept(ctx: Context, case: Case) -> None:
    """Take on a case that was given to your organisation, or of danger about which you are called: it is yours then."""
    has_it = ctx.actor.has(SYSTEM) or case.handler_id in ctx.actor.organisations
    accept_for(case, None if has_it else await taking(ctx, case.area), ctx.now())


@step(Step.START)
async def start(ctx: Context, case: Case) -> None:
    """Begin the work on a case."""
    case.record(CaseStarted())


@step(Step.RESOLVE)
async def resolve(ctx: Context, case: Case, cmd: ResolveCase) -> None:
    """Say that a case is done, with an answer to its resident."""
    answer = sealed(ctx, case, "answer", cmd.answer)
    now, waited = ctx.now(), case.waited(ctx.now())
    case.record(CaseResolved(outcome=cmd.outcome, answer=answer, resolved_at=now, resolution_seconds=waited))


@step(Step.CALL_BACK)
async def call_back(ctx: Context, case: Case, cmd: CallBack) -> None:
    """Note what the resident said when called after a case was resolved."""
    if not cmd.reached and (cmd.solved, cmd.satisfied) != (None, None):
        raise NotReached
    note = sealed(ctx, case, "note", cmd.note) if cmd.note else None
    case.record(CaseCalledBack(reached=cmd.reached, solved=cmd.solved, satisfied=cmd.satisfied, note=note))


@step(Step.RATE)
async def rate(ctx: Context, case: Case, cmd: RateCase) -> None:
    """Rate what was done for you; a matter that is settled is closed with it."""
    remark = sealed(ctx, case, "remark", cmd.remark) if cmd.remark else None
    model.rate(case, CaseRated(score=cmd.score, solved=cmd.solved, remark=remark), ctx.now())


@step(Step.CLOSE)
async def close(ctx: Context, case: Case, cmd: CloseCase) -> None:
    """Close a case that was resolved; its resident may still have it reopened for a while."""
    case.record(CaseClosed(reason=cmd.reason or case.outcome or CloseReason.NO_ACTION, ended_at=ctx.now()))


@step(Step.NO_DANGER)
async def no_danger(ctx: Context, case: Case, cmd: NoDanger) -> None:
    """Say that there is no danger, whatever its words say: the mark is taken off; its advice stays, and calls go on."""
    case.record(DangerUnfounded(reason=sealed(ctx, case, "reason", cmd.reason)))


@step(Step.COMMENT)
async def comment(ctx: Context, case: Case, cmd: AddComment) -> None:
    """Add words to a case; they change no limit."""
    by_resident = case.is_of(ctx.actor)
    from_resident = by_resident or cmd.passed_on
    case.record(
        CommentAdded(
            text=sealed(ctx, case, "text", cmd.text),
            public=cmd.public or from_resident,
            author_id=ctx.actor.id,
            by_resident=by_resident,
            from_resident=from_resident,
        )
    )
