"""How dispatch reacts: teams' slots follow cases, a full team's case goes on, and cases of a team off duty are asked
about."""

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from services.contracts.members.teams import TeamWentOffDuty
from services.contracts.requests.cases import (
    CaseCancelled,
    CaseDispatched,
    CaseRejected,
    CaseResolved,
    CaseReturned,
    CaseUnassigned,
)
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dispatch import SlotRefused, SlotReserved
from services.requests.cases.dispatch import commands, queries
from services.requests.cases.dispatch.model import CaseAt
from services.requests.providers.model import Organisation, Team

HandlerChanged = CaseDispatched | CaseUnassigned | CaseReturned | CaseResolved | CaseCancelled | CaseRejected


def concerns_a_team(event: HandlerChanged) -> bool:
    """Whether a volunteer team gets the case, or had it."""
    return event.from_team is not None or (isinstance(event, CaseDispatched) and event.tier == Tier.TEAM)


@reaction(
    "keep-team-slots",
    CaseDispatched,
    CaseUnassigned,
    CaseReturned,
    CaseResolved,
    CaseCancelled,
    CaseRejected,
    reads=(Team,),
    when=concerns_a_team,
)
async def keep_team_slots(ctx: Context, delivered: Delivered, event: HandlerChanged) -> None:
    """Reserve a slot at the team that got a case, and free its slot elsewhere."""
    given = isinstance(event, CaseDispatched) and event.tier == Tier.TEAM
    team_id = event.handler_id if isinstance(event, CaseDispatched) and given else None
    case = CaseAt(delivered.entity, delivered.version)
    held = await queries.holding(ctx, case.id)
    if held is not None and held.team_id != team_id:
        await commands.free_slot(ctx, held.id, case)
    if team_id is not None:
        await commands.reserve_slot(ctx, team_id, case)


@reaction("pass-on-refused", SlotRefused, reads=(Organisation, Team))
async def pass_on_refused(ctx: Context, _: Delivered, event: SlotRefused) -> None:
    """Assign the case to the next handler."""
    await commands.pass_on(ctx, event.case_id, event.team_id)


@reaction("book-slot", SlotReserved)
async def book_slot(ctx: Context, _: Delivered, event: SlotReserved) -> None:
    """Tell those concerned that the team has the case: before, another might have taken its last slot."""
    await commands.book(ctx, event.case_id, event.team_id)


@reaction("ask-dispatcher", TeamWentOffDuty)
async def ask_dispatcher(ctx: Context, delivered: Delivered, _: TeamWentOffDuty) -> None:
    """Ask the dispatchers about the cases that the team has."""
    for case_id in await queries.cases_of(ctx, delivered.entity):
        await commands.ask_dispatcher(ctx, case_id, delivered.entity)
