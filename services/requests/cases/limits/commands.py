"""Steps that change a case's clock, and what happens when time passes."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Instant
from services.chassis.guards import changes
from services.chassis.usecase import Command, Context
from services.contracts.requests.cases import PauseCause
from services.requests.cases.alarms import metrics
from services.requests.cases.alarms.model import is_calling
from services.requests.cases.clocks.queries import calendar_of
from services.requests.cases.limits import model
from services.requests.cases.model import Case
from services.requests.cases.queries import sealed
from services.requests.cases.steps.commands import StaffText, step
from services.requests.cases.steps.model import Step
from services.requests.providers.queries import escalation_path
from services.requests.rosters.queries import on_call


class PauseCase(Command):
    """What a case waits for, and until when at the longest."""

    because: Annotated[PauseCause, Field(description="what it waits for: its resident is told this")] = PauseCause.OTHER
    reason: StaffText
    until: Annotated[Instant | None, Field(description="it goes on by itself then; after ten working days if null")] = (
        None
    )


class ReturnCase(Command):
    """Why it is not yours."""

    reason: StaffText


@step(Step.PAUSE)
async def pause(ctx: Context, case: Case, cmd: PauseCase) -> None:
    """Pause the clock of a case while it waits for something outside."""
    calendar, now = await calendar_of(ctx, case), ctx.now()
    until = model.pause_end(case, calendar, now, cmd.until)
    model.pause(case, cmd.because, sealed(ctx, case, "reason", cmd.reason), calendar, now, until)


@step(Step.RESUME)
async def resume(ctx: Context, case: Case) -> None:
    """Go on with a case that waited; the length of the pause is added to its limits."""
    model.resume(case, await calendar_of(ctx, case), ctx.now())


@step(Step.RETURN)
async def return_case(ctx: Context, case: Case, cmd: ReturnCase) -> None:
    """Give a case back that is not yours; the second time the supervisor decides who does it."""
    levels = await escalation_path(ctx, case.area, case.handler_id)
    reason = sealed(ctx, case, "reason", cmd.reason)
    model.send_back(case, reason, levels, await calendar_of(ctx, case), ctx.now())


@step(Step.URGE)
async def urge(ctx: Context, case: Case) -> None:
    """Ask for haste, once a day: those who answer for the case see how often."""
    model.urge(case, ctx.now(), by_resident=case.is_of(ctx.actor))


@changes(Case, allow=SYSTEM)
async def tick(ctx: Context, case: Case) -> None:
    """Warn, mark as overdue, call the next, escalate one level, end a pause or close the case, as its time has come."""
    calendar = await calendar_of(ctx, case)
    levels = await escalation_path(ctx, case.area, case.handler_id) if model.is_escalating(case, ctx.now()) else ()
    calls = await on_call(ctx, case.area, case.system) if is_calling(case, ctx.now()) else ()
    model.tick(case, levels, calendar, ctx.now(), calls)
    metrics.count(case.fresh)


@changes(Case, allow=SYSTEM)
async def move_limits(ctx: Context, case: Case) -> None:
    """Let the limits of a case count by the city's present working times; nothing happens where they do."""
    await calendar_of(ctx, case)
