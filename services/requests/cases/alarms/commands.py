"""Calling who is on call, and linking the cases of one incident: what only reactions and timers do."""

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Context, usecase
from services.contracts.requests.cases import CaseFiled
from services.requests.cases.alarms import metrics, model
from services.requests.cases.alarms.model import Incident, incident_id
from services.requests.cases.model import Case
from services.requests.rosters.queries import on_call


@usecase(allow=SYSTEM)
async def report_incident(ctx: Context, case_id: str, filed: CaseFiled) -> Incident:
    """Find out whether a danger was reported there a moment before."""
    async with ctx.store.change_or_create(Incident, incident_id(filed.item, filed.area)) as incident:
        first = await ctx.store.get(Case, incident.case_id) if incident.version else None
        model.report(incident, case_id, first, ctx.now())
    return incident


@changes(Case, allow=SYSTEM)
async def call(ctx: Context, case: Case) -> None:
    """Call who is on call about a case of danger of which nobody was called."""
    if model.awaits(case):
        model.call_next(case, await on_call(ctx, case.area, case.system), ctx.now())
        metrics.count(case.fresh)


@changes(Case, allow=SYSTEM)
async def link(ctx: Context, case: Case, first_id: str) -> None:
    """Let a case wait for the calls about another one, or accept it with that one; not for one that has ended."""
    first = await ctx.store.get(Case, first_id)
    if not model.ended_without_help(first):
        model.link(case, first_id)
        model.accept_with(case, first, ctx.now())
    metrics.count(case.fresh)


@changes(Case, allow=SYSTEM)
async def accept_linked(ctx: Context, case: Case, first_id: str) -> None:
    """Accept a case with the one that it is linked to."""
    model.accept_with(case, await ctx.store.get(Case, first_id), ctx.now())
