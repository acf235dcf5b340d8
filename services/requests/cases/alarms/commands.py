"""Calling who is on call, and linking the cases of one incident: what only reactions and timers do."""

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Context, usecase
from services.contracts.requests.case_parts import Filing
from services.requests.cases.alarms import metrics, model
from services.requests.cases.alarms.model import Incident, incident_id
from services.requests.cases.model import Case
from services.requests.rosters.queries import on_call


@usecase(allow=SYSTEM)
async def report_incident(ctx: Context, case_id: str, filed: Filing) -> Incident:
    """Find out whether a danger was reported there a moment before, about which somebody is called."""
    async with ctx.store.change_or_create(Incident, incident_id(filed.item, filed.area)) as incident:
        first = await ctx.store.get(Case, incident.case_id) if incident.version else None
        model.report(incident, case_id, first, filed.filed_at)
    return incident


@changes(Case, allow=SYSTEM)
async def call(ctx: Context, case: Case) -> None:
    """Call who is on call about a case of danger of which nobody was called."""
    await _call(ctx, case)


@changes(Case, allow=SYSTEM)
async def link(ctx: Context, case: Case, first_id: str) -> None:
    """Let a case wait for the calls about another one, or accept it with that one; call where nobody sees to that."""
    first = await ctx.store.get(Case, first_id)
    if model.is_attended(first):
        model.link(case, first_id)
        model.accept_with(case, first, ctx.now())
        metrics.count(case.fresh)
    else:
        await _call(ctx, case)


@changes(Case, allow=SYSTEM)
async def settle_linked(ctx: Context, case: Case, first_id: str) -> None:
    """Accept a case with the one that it is linked to; call where nobody sees to that one any more."""
    first = await ctx.store.get(Case, first_id)
    model.accept_with(case, first, ctx.now())
    if case.linked_to == first_id and not model.is_attended(first):
        await _call(ctx, case)


async def _call(ctx: Context, case: Case) -> None:
    if model.awaits(case):
        model.call_next(case, await on_call(ctx, case.area, case.system), ctx.now())
        metrics.count(case.fresh)
