"""The rules of cases: who gets a notice of which event, and the facts for the texts."""

from collections.abc import Mapping
from typing import Any

from services.chassis.domain.events import Event
from services.contracts.members.areas import LENGTHS, Level
from services.contracts.requests import cases, tracking
from services.contracts.requests.dispatch import SlotFreed, SlotRefused, SlotReserved
from services.notify.cases.model import (
    Case,
    Dispatchers,
    Handler,
    Owner,
    Resident,
    Supervisors,
    Volunteers,
    among_staff,
    by_resident,
    first_routed,
    for_resident,
    not_returned,
    not_withdrawn,
    returned_often,
    returned_seldom,
    routed_again,
)
from services.notify.rules.model import Blind, Occurrence, Subject, Tell
from services.notify.templates.model import Facts

_LEVELS = {LENGTHS[level]: level for level in (Level.CITY, Level.COUNTY, Level.SUB_DISTRICT)}

_RULES: tuple[Tell[Case], ...] = (
    # A case is acknowledged when it is first given to somebody: filing does that in the same write.
    Tell(cases.CaseDispatched, Resident(), "case-filed", when=first_routed, texted=True),
    Tell(cases.CaseUnassigned, Resident(), "case-filed-unassigned", when=first_routed, texted=True),
    Tell(cases.CaseDispatched, Resident(), "case-moved", when=routed_again),
    Tell(cases.CaseDispatched, Handler(), "case-assigned", texted=True),
    Tell(cases.CaseDispatched, Volunteers(), "team-called"),
    Tell(cases.CaseUnassigned, Dispatchers(), "case-unassigned", texted=True),
    Tell(cases.CaseAccepted, Resident(), "case-accepted"),
    Tell(cases.CasePaused, Resident(), "case-paused", words="reason"),
    Tell(cases.CaseResumed, Resident(), "case-resumed"),
    Tell(cases.CaseReturned, Dispatchers(), "case-returned", when=returned_seldom),
    Tell(cases.CaseReturned, Supervisors(), "case-returned-again", when=returned_often, texted=True),
    Tell(cases.CaseResolved, Resident(), "case-resolved", words="answer", texted=True),
    Tell(cases.CaseRated, Handler(), "case-rated"),
    Tell(cases.CaseReopened, Handler("settled_by"), "case-reopened"),
    Tell(cases.CaseReopened, Dispatchers(), "case-reopened"),
    Tell(cases.CaseClosed, Resident(), "case-closed", when=not_withdrawn),
    Tell(cases.CaseCancelled, Handler(), "case-cancelled"),
    Tell(cases.CaseCancelled, Volunteers(), "case-cancelled"),
    Tell(cases.CaseRejected, Resident(), "case-rejected", words="answer", texted=True),
    Tell(cases.CaseUrged, Handler(), "case-urged", texted=True),
    Tell(cases.CommentAdded, Handler(), "comment-from-resident", when=by_resident),
    Tell(cases.CommentAdded, Resident(), "comment-from-staff", when=for_resident, words="text"),
    Tell(cases.CommentAdded, Handler(), "comment-among-staff", when=among_staff),
    Tell(cases.CaseWarned, Handler(), "case-warned", texted=True),
    Tell(cases.CaseOverdue, Handler(), "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseOverdue, Dispatchers(), "case-overdue", texted=True, urgent=True),
    # Of a case that is escalated because of too many returns, the supervisor has heard by the return.
    Tell(cases.CaseEscalated, Owner(), "case-escalated-to-you", when=not_returned, texted=True, urgent=True),
    Tell(cases.CaseEscalated, Resident(), "case-escalated"),
)

_SILENT: Mapping[type[Event], str] = {
    cases.CaseFiled: "acknowledged when the case is first given to somebody, in the same write",
    cases.LimitsSet: "told with the acknowledgement",
    cases.CaseVerified: "a step on the way; the timeline has it",
    cases.CaseStarted: "the resident heard that it was taken on",
    cases.CaseCalledBack: "the resident was there",
    cases.CaseForgotten: "a notice would bring back what is to be forgotten",
    SlotReserved: "between a case and its team",
    SlotRefused: "the case goes on to somebody else, which is told",
    SlotFreed: "between a case and its team",
}


def facts(what: Occurrence[Case], blind: Blind) -> Facts:
    """What every text about a case may use, and what its event adds."""
    code = tracking.code_from(blind(tracking.BLIND, what.copy.number))
    return {**_case_facts(what.copy), **_event_facts(what.event), "tracking": code}


subject = Subject(name="cases", copy=Case, rules=_RULES, silent=_SILENT, facts=facts)


def _case_facts(case: Case) -> Facts:
    """A handler or a limit that is not known yet is named by its key in the section ``unset`` of the texts."""
    return {
        "number": case.number,
        "item": case.item_name,
        "handler": case.handler_name or "handler",
        "due": case.due_at or "due",
    }


def _event_facts(event: Any) -> Facts:
    match event:
        case cases.CaseDispatched():
            return {"handler": event.handler_name}
        case cases.CaseResumed() | cases.CaseWarned() | cases.CaseOverdue():
            return {"due": event.due_at}
        case cases.CaseReturned() | cases.CaseReopened() | cases.CaseUrged():
            return {"times": event.times}
        case cases.CaseRated():
            return {"score": event.score}
        case cases.CaseEscalated():
            return {"level": _LEVELS.get(len(event.owner_place), Level.CITY), "because": event.because}
        case _:
            return {}
