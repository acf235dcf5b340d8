"""Forgetting a case, by somebody's decision or by itself."""

from typing import Annotated, Literal

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Command, Context
from services.contracts.requests.cases import ForgetCause
from services.requests.cases.clocks.model import Retention
from services.requests.cases.forgetting import model
from services.requests.cases.model import Case
from services.requests.cases.steps.commands import step
from services.requests.cases.steps.model import Step

Decided = Literal[ForgetCause.ASKED, ForgetCause.MISTAKE, ForgetCause.ORDER]


class ForgetCase(Command):
    """Why the words of a case must go."""

    because: Annotated[
        Decided,
        Field(description="`asked`: by its resident; `mistake`: it holds what must not be there; `order`: by law"),
    ]


@step(Step.FORGET)
async def forget(ctx: Context, case: Case, cmd: ForgetCase) -> None:
    """Let nobody read the words of a case that is over any more; number, item, state and times stay. For good."""
    model.forget(case, cmd.because, ctx.now())


@changes(Case, allow=SYSTEM)
async def forget_of_erased(ctx: Context, case: Case) -> None:
    """Forget a case whose resident was erased; nothing happens where that was done."""
    model.forget(case, ForgetCause.ERASED, ctx.now())


@changes(Case, allow=SYSTEM)
async def forget_over(ctx: Context, case: Case) -> None:
    """Forget a case whose term is over; nothing happens where it is not, or was reopened meanwhile."""
    model.forget_over(case, ctx.dependency(Retention), ctx.now())
