"""Forgetting a case, by somebody's decision or by itself."""

from typing import Annotated, Literal

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.usecase import Command, Context, usecase
from services.contracts.requests.cases import ForgetCause
from services.requests.cases.forgetting import model
from services.requests.cases.model import Case
from services.requests.cases.steps.model import Step, expect, may

Decided = Literal[ForgetCause.ASKED, ForgetCause.MISTAKE, ForgetCause.ORDER]


class ForgetCase(Command):
    """Why the words of a case must go."""

    because: Annotated[
        Decided,
        Field(description="`asked`: by its resident; `mistake`: it holds what must not be there; `order`: by law"),
    ]


@usecase(allow=may(Step.FORGET))
async def forget(ctx: Context, case_id: str, cmd: ForgetCase) -> None:
    """Let nobody read the words of a case that is over any more; number, item, state and times stay. For good."""
    async with ctx.store.change(Case, case_id) as case:
        expect(case, Step.FORGET, ctx.actor, ctx.now())
        model.forget(case, cmd.because)


@usecase(allow=SYSTEM)
async def forget_now(ctx: Context, case_id: str, because: ForgetCause) -> Case:
    """Forget a case whose term is over or whose resident was erased; nothing happens where that was done."""
    async with ctx.store.change(Case, case_id) as case:
        model.forget(case, because)
    return case
