"""Measures a case when it is accepted and when it is resolved."""

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from services.contracts.requests.cases import CaseAccepted, CaseResolved
from services.requests.cases.model import Case
from services.requests.overview import metrics, model


@reaction("measure-cases", CaseAccepted, CaseResolved)
async def measure_cases(ctx: Context, delivered: Delivered, event: CaseAccepted | CaseResolved) -> None:
    """Observe how long the resident waited for acceptance, and for the answer."""
    history = await ctx.store.history(Case, delivered.entity)
    match event:
        case CaseAccepted():
            seconds, metric = model.response_seconds(history, delivered.version), metrics.case_response
        case CaseResolved():
            seconds, metric = model.resolution_seconds(history, delivered.version), metrics.case_resolution
    if seconds is not None:
        metric.observe(seconds)
