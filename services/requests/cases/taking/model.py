"""Who was called about a case of danger takes it on, for an organisation of theirs."""

from dataclasses import dataclass
from datetime import datetime

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import Actor
from services.contracts.members.areas import Level, enclosing
from services.contracts.members.roles import Role
from services.contracts.requests.cases import CaseAccepted, CaseDispatched
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.providers.model import Organisation


class NoOffice(Refusal):
    kind = Kind.STATE


@dataclass(frozen=True, slots=True)
class Called:
    """Who was called about a case of danger may take a step in these roles and states, also with that of others."""

    roles: tuple[Role, ...]
    states: frozenset[State]

    def applies(self, case: Case, actor: Actor) -> bool:
        """Whether this actor was called about this case, and it is not accepted yet."""
        called = actor.person in case.called and not case.is_of(actor) and not case.responded
        return called and actor.has(*self.roles) and case.state in self.states


def accept_for(case: Case, office: Organisation | None, now: datetime) -> None:
    """Record that a case is accepted: by its handler, or for this organisation, which has it from now on. NoOffice."""
    if office is None and case.handler_id is None:
        raise NoOffice(place=enclosing(case.area, Level.SUB_DISTRICT))
    if office is not None and office.tier is not None and office.id != case.handler_id:
        case.record(CaseDispatched(tier=office.tier, handler_id=office.id, handler_name=office.name))
    case.record(CaseAccepted(response_seconds=None if case.was_accepted else case.waited(now)))
