"""Measures a case when it is accepted and when it is resolved."""

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from services.contracts.requests.cases import CaseAccepted, CaseResolved
from services.requests.overview import metrics


@reaction("measure-cases", CaseAccepted, CaseResolved)
async def measure_cases(_: Context, __: Delivered, event: CaseAccepted | CaseResolved) -> None:
    """Observe how long the resident waited for acceptance, and for the answer."""
    match event:
        case CaseAccepted(response_seconds=float(seconds)):
            metrics.case_response.observe(seconds)
        case CaseResolved():
            metrics.case_resolution.observe(event.resolution_seconds)
