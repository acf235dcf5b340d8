"""How calls begin and spread: a danger is reported, its incident is known or new, and cases follow the first."""

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from services.contracts.requests.alarms import CaseLinked, IncidentOpened, IncidentReported
from services.contracts.requests.case_parts import InDanger
from services.contracts.requests.cases import CaseAccepted, CaseCancelled, CaseFiled, CaseRejected
from services.requests.cases.alarms import commands, queries
from services.requests.providers.model import AreaCopy
from services.requests.residents.model import Person
from services.requests.rosters.model import Roster

_WHO_IS_ON_CALL = (Roster, Person, AreaCopy)
"""The copies that say who is called where."""


def is_shared(event: CaseFiled) -> bool:
    """Whether others around may be in the same danger, and report it too."""
    return event.accept_within_minutes is not None and event.shared_danger


def is_alone(event: CaseFiled) -> bool:
    """Whether somebody may be in danger of which nobody else is to know: the next report is another one."""
    return event.accept_within_minutes is not None and not event.shared_danger


def was_danger(event: InDanger) -> bool:
    """Whether somebody may be, or have been, in danger."""
    return event.in_danger


@reaction("report-incident", CaseFiled, when=is_shared)
async def report_incident(ctx: Context, delivered: Delivered, event: CaseFiled) -> None:
    """Find out whether it is known."""
    await commands.report_incident(ctx, delivered.entity, event)


@reaction("call-at-once", CaseFiled, reads=_WHO_IS_ON_CALL, when=is_alone)
async def call_at_once(ctx: Context, delivered: Delivered, _: CaseFiled) -> None:
    """Call who is on call."""
    await commands.call(ctx, delivered.entity)


@reaction("call-on-call", IncidentOpened, reads=_WHO_IS_ON_CALL)
async def call_on_call(ctx: Context, _: Delivered, event: IncidentOpened) -> None:
    """Call who is on call."""
    await commands.call(ctx, event.case_id)


@reaction("link-reported", IncidentReported, reads=_WHO_IS_ON_CALL)
async def link_reported(ctx: Context, _: Delivered, event: IncidentReported) -> None:
    """Let the case wait for the calls about the first."""
    await commands.link(ctx, event.case_id, event.first_id)


@reaction("settle-linked", CaseLinked, reads=_WHO_IS_ON_CALL)
async def settle_linked(ctx: Context, delivered: Delivered, event: CaseLinked) -> None:
    """Look once more: while it was linked the first may have been accepted or over, and then nobody saw this one."""
    await commands.settle_linked(ctx, delivered.entity, event.first_id)


@reaction("accept-linked", CaseAccepted, reads=_WHO_IS_ON_CALL, when=was_danger)
async def accept_linked(ctx: Context, delivered: Delivered, _: CaseAccepted) -> None:
    """Accept the cases that wait for the calls about this one."""
    for case in await queries.linked_to(ctx, delivered.entity):
        await commands.settle_linked(ctx, case.id, delivered.entity)


@reaction("call-for-linked", CaseCancelled, CaseRejected, reads=_WHO_IS_ON_CALL, when=was_danger)
async def call_for_linked(ctx: Context, delivered: Delivered, _: CaseCancelled | CaseRejected) -> None:
    """Call about the next of the cases that wait for this one, which ended without help: the others wait for that.

    The incident names the next first, so that a repeat after a crash goes on with the same one.
    """
    linked = await queries.linked_to(ctx, delivered.entity)
    if not linked:
        return
    incident = await commands.report_incident(ctx, linked[0].id, linked[0])
    await commands.call(ctx, incident.case_id)
    for case in linked:
        if case.id != incident.case_id:
            await commands.link(ctx, case.id, incident.case_id)
