"""Steps that move a case's clock, and what the clock itself does."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Instant, Text
from services.chassis.schedule.calendar import WorkingCalendar
from services.chassis.usecase import Command, Context, usecase
from services.requests.cases.limits import model
from services.requests.cases.model import Case
from services.requests.cases.queries import sealed
from services.requests.cases.steps.model import Step, expect, may
from services.requests.providers.queries import escalation_path


class PauseCase(Command):
    """What a case waits for, and until when at the longest."""

    reason: Text
    until: Annotated[Instant | None, Field(description="it goes on by itself then; after ten working days if null")] = (
        None
    )


class ReturnCase(Command):
    """Why it is not yours."""

    reason: Text


@usecase(allow=may(Step.PAUSE))
async def pause(ctx: Context, case_id: str, cmd: PauseCase) -> Case:
    """Let the clock of a case stand while it waits for something outside."""
    async with ctx.store.change(Case, case_id) as case:
        expect(case, Step.PAUSE, ctx.actor, ctx.now())
        until = model.pause_end(case, ctx.dependency(WorkingCalendar), ctx.now(), cmd.until)
        model.pause(case, await sealed(ctx, case, "reason", cmd.reason), ctx.now(), until)
    return case


@usecase(allow=may(Step.RESUME))
async def resume(ctx: Context, case_id: str) -> Case:
    """Go on with a case that waited; the time that it stood is added to its limits."""
    async with ctx.store.change(Case, case_id) as case:
        expect(case, Step.RESUME, ctx.actor, ctx.now())
        model.resume(case, ctx.dependency(WorkingCalendar), ctx.now())
    return case


@usecase(allow=may(Step.RETURN))
async def return_case(ctx: Context, case_id: str, cmd: ReturnCase) -> Case:
    """Give a case back that is not yours; the second time the supervisor decides who does it."""
    async with ctx.store.change(Case, case_id) as case:
        expect(case, Step.RETURN, ctx.actor, ctx.now())
        levels = await escalation_path(ctx, case.area, case.handler_id)
        reason = await sealed(ctx, case, "reason", cmd.reason)
        model.send_back(case, reason, levels, ctx.dependency(WorkingCalendar), ctx.now())
    return case


@usecase(allow=may(Step.URGE))
async def urge(ctx: Context, case_id: str) -> Case:
    """Ask for haste, once a day: those who answer for the case see how often."""
    async with ctx.store.change(Case, case_id) as case:
        expect(case, Step.URGE, ctx.actor, ctx.now())
        model.urge(case, ctx.now(), by_resident=case.is_of(ctx.actor))
    return case


@usecase(allow=SYSTEM)
async def tick(ctx: Context, case_id: str) -> Case:
    """Warn, note that a case is late, let it climb one level, end its pause or close it, as its time has come."""
    async with ctx.store.change(Case, case_id) as case:
        levels = await escalation_path(ctx, case.area, case.handler_id) if model.is_escalating(case, ctx.now()) else ()
        model.tick(case, levels, ctx.dependency(WorkingCalendar), ctx.now())
    return case
