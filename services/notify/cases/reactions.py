"""The rules of cases: which party gets a notice of which event, or why it does not; and the facts for the texts."""

from collections.abc import Mapping
from typing import Any

from services.chassis.domain.events import Event
from services.contracts.members.areas import LENGTHS, Level
from services.contracts.requests import cases, tracking
from services.contracts.requests.dispatch import SlotFreed, SlotRefused, SlotReserved
from services.notify.cases.model import Case
from services.notify.cases.parties import model as parties
from services.notify.cases.parties.model import (
    Dispatchers,
    Handler,
    Operator,
    Owner,
    Previous,
    Resident,
    Supervisors,
    Volunteers,
)
from services.notify.rules.model import Audience, Blind, Occurrence, Silence, Subject, Tell, silence
from services.notify.templates.model import Facts

_LEVELS = {LENGTHS[level]: level for level in (Level.CITY, Level.COUNTY, Level.SUB_DISTRICT)}

RESIDENT, OPERATOR, HANDLER, VOLUNTEERS, PREVIOUS = Resident(), Operator(), Handler(), Volunteers(), Previous()
DISPATCHERS, SUPERVISORS, OWNER = Dispatchers(), Supervisors(), Owner()
_PARTIES: tuple[Audience[Case], ...] = (
    RESIDENT,
    OPERATOR,
    HANDLER,
    VOLUNTEERS,
    PREVIOUS,
    DISPATCHERS,
    SUPERVISORS,
    OWNER,
)

_CALLER = "who takes the next call reads it in the case"
_AS_IT_SHOULD = "it goes as it should: they hear when it is late, or comes to them"
_BELOW = "it goes on below: they hear what is said and urged, and how it ends"
_LEADER = "the team's leader hears, and arranges who does what"
_GONE = "they have no more to do with it"
_NOBODY = "nobody has it now"
_ASKED = "asked for it"

_RULES: tuple[Tell[Case], ...] = (
    # A case is acknowledged when it is certain who has it: filing does that in the same write, but for a team.
    Tell(cases.CaseDispatched, RESIDENT, "case-filed", when=parties.certain_first, texted=True),
    Tell(cases.CaseDispatched, RESIDENT, "case-moved", when=parties.certain_again),
    Tell(cases.CaseDispatched, HANDLER, "case-assigned", when=parties.certain, texted=True),
    Tell(cases.CaseDispatched, PREVIOUS, "case-left", when=parties.was_theirs),
    Tell(
        cases.CaseDispatched,
        DISPATCHERS,
        "case-without-hands",
        when=parties.certain,
        texted=True,
        instead_of=HANDLER,
    ),
    Tell(cases.CaseBooked, RESIDENT, "case-filed", when=parties.first_routed, texted=True),
    Tell(cases.CaseBooked, RESIDENT, "case-moved"),
    Tell(cases.CaseBooked, HANDLER, "case-assigned", texted=True),
    Tell(cases.CaseBooked, VOLUNTEERS, "team-called", texted=True),
    Tell(cases.CaseBooked, DISPATCHERS, "case-without-hands", texted=True, instead_of=HANDLER),
    Tell(cases.CaseTeamAway, DISPATCHERS, "case-team-away", texted=True),
    Tell(cases.CaseUnassigned, RESIDENT, "case-filed-unassigned", when=parties.first_routed, texted=True),
    Tell(cases.CaseUnassigned, DISPATCHERS, "case-unassigned", texted=True),
    Tell(cases.CaseAccepted, RESIDENT, "case-accepted"),
    Tell(cases.CasePaused, RESIDENT, "case-paused"),
    Tell(cases.CasePaused, HANDLER, "case-paused-for-staff", unless_own=True),
    Tell(cases.CasePaused, VOLUNTEERS, "case-paused-for-staff"),
    Tell(cases.CaseResumed, RESIDENT, "case-resumed"),
    Tell(cases.CaseResumed, HANDLER, "case-resumed-for-staff", unless_own=True),
    Tell(cases.CaseResumed, VOLUNTEERS, "case-resumed-for-staff"),
    Tell(cases.CaseReturned, DISPATCHERS, "case-returned", when=parties.returned_seldom),
    Tell(cases.CaseReturned, SUPERVISORS, "case-returned-again", when=parties.returned_often, texted=True),
    Tell(cases.CaseReturned, PREVIOUS, "case-left", when=parties.was_theirs),
    Tell(cases.CaseResolved, RESIDENT, "case-resolved", words="answer", texted=True),
    Tell(cases.CaseResolved, VOLUNTEERS, "team-done"),
    Tell(cases.CaseResolved, OWNER, "case-resolved-for-owner"),
    Tell(cases.CaseRated, HANDLER, "case-rated"),
    Tell(cases.CaseReopened, PREVIOUS, "case-reopened"),
    Tell(cases.CaseReopened, DISPATCHERS, "case-reopened"),
    Tell(cases.CaseClosed, RESIDENT, "case-closed", when=parties.not_withdrawn),
    Tell(cases.CaseCancelled, RESIDENT, "case-cancelled-for-you", when=parties.for_resident, texted=True),
    Tell(cases.CaseCancelled, PREVIOUS, "case-cancelled", when=parties.was_theirs),
    Tell(cases.CaseCancelled, DISPATCHERS, "case-cancelled", when=parties.nobody_had_it),
    Tell(cases.CaseCancelled, OWNER, "case-cancelled"),
    Tell(cases.CaseRejected, RESIDENT, "case-rejected", words="answer", texted=True),
    Tell(cases.CaseRejected, PREVIOUS, "case-left", when=parties.was_theirs),
    Tell(cases.CaseRejected, OWNER, "case-left"),
    Tell(cases.CaseUrged, HANDLER, "case-urged", texted=True),
    Tell(cases.CaseUrged, DISPATCHERS, "case-urged", texted=True, instead_of=HANDLER),
    Tell(cases.CaseUrged, OWNER, "case-urged", texted=True),
    Tell(cases.CommentAdded, RESIDENT, "comment-from-staff", when=parties.answers_resident, words="text"),
    Tell(cases.CommentAdded, OPERATOR, "comment-among-staff", when=parties.among_staff),
    Tell(cases.CommentAdded, HANDLER, "comment-from-resident", when=parties.says_resident),
    Tell(cases.CommentAdded, HANDLER, "comment-to-resident", when=parties.answers_resident),
    Tell(cases.CommentAdded, HANDLER, "comment-among-staff"),
    Tell(cases.CommentAdded, DISPATCHERS, "comment-from-resident", when=parties.says_resident, instead_of=HANDLER),
    Tell(cases.CommentAdded, DISPATCHERS, "comment-among-staff", when=parties.among_staff),
    Tell(cases.CommentAdded, OWNER, "comment-from-resident", when=parties.says_resident),
    Tell(cases.CommentAdded, OWNER, "comment-among-staff", when=parties.among_staff),
    Tell(cases.CaseWarned, HANDLER, "case-warned", texted=True),
    Tell(cases.CaseWarned, DISPATCHERS, "case-warned", texted=True, instead_of=HANDLER),
    Tell(cases.CaseOverdue, HANDLER, "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseOverdue, DISPATCHERS, "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseEscalated, RESIDENT, "case-escalated"),
    Tell(cases.CaseEscalated, OWNER, "case-escalated-to-you", when=parties.not_returned, texted=True, urgent=True),
    Tell(cases.CaseEscalated, HANDLER, "case-went-up", when=parties.not_accepted),
)

_SILENCES: tuple[Silence[Case], ...] = (
    silence(cases.CaseDispatched, "of a team they hear when it has a slot for it", RESIDENT, HANDLER, VOLUNTEERS),
    silence(cases.CaseDispatched, "nobody had it, or had heard of it", PREVIOUS),
    silence(cases.CaseDispatched, "they gave it, or the rules did, and somebody there can take it", DISPATCHERS),
    silence(cases.CaseDispatched, _CALLER, OPERATOR),
    silence(cases.CaseDispatched, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseDispatched, _BELOW, OWNER),
    silence(cases.CaseBooked, "heard when it was given to the team", PREVIOUS),
    silence(cases.CaseBooked, "they gave it, or the rules did, and somebody there can take it", DISPATCHERS),
    silence(cases.CaseBooked, _CALLER, OPERATOR),
    silence(cases.CaseBooked, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseBooked, _BELOW, OWNER),
    silence(cases.CaseTeamAway, "the team may still do it; they hear if somebody else gets it", RESIDENT, OPERATOR),
    silence(cases.CaseTeamAway, "the team went off duty itself", HANDLER, VOLUNTEERS),
    silence(cases.CaseTeamAway, _GONE, PREVIOUS),
    silence(cases.CaseTeamAway, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseTeamAway, _BELOW, OWNER),
    silence(cases.CaseUnassigned, "hears who has it next", RESIDENT),
    silence(cases.CaseUnassigned, _NOBODY, HANDLER, VOLUNTEERS),
    silence(cases.CaseUnassigned, "a team without a slot never heard of it", PREVIOUS),
    silence(cases.CaseUnassigned, _CALLER, OPERATOR),
    silence(cases.CaseUnassigned, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseUnassigned, _BELOW, OWNER),
    silence(cases.CaseAccepted, "took it on", HANDLER),
    silence(cases.CaseAccepted, _LEADER, VOLUNTEERS),
    silence(cases.CaseAccepted, _GONE, PREVIOUS),
    silence(cases.CaseAccepted, _CALLER, OPERATOR),
    silence(cases.CaseAccepted, _AS_IT_SHOULD, DISPATCHERS, SUPERVISORS),
    silence(cases.CaseAccepted, _BELOW, OWNER),
    silence(cases.CasePaused, "one of them did it", HANDLER),
    silence(cases.CasePaused, _GONE, PREVIOUS),
    silence(cases.CasePaused, _CALLER, OPERATOR),
    silence(cases.CasePaused, _AS_IT_SHOULD, DISPATCHERS, SUPERVISORS),
    silence(cases.CasePaused, _BELOW, OWNER),
    silence(cases.CaseResumed, "one of them did it", HANDLER),
    silence(cases.CaseResumed, _GONE, PREVIOUS),
    silence(cases.CaseResumed, _CALLER, OPERATOR),
    silence(cases.CaseResumed, _AS_IT_SHOULD, DISPATCHERS, SUPERVISORS),
    silence(cases.CaseResumed, _BELOW, OWNER),
    silence(cases.CaseReturned, "hears who has it next", RESIDENT),
    silence(cases.CaseReturned, _NOBODY, HANDLER, VOLUNTEERS),
    silence(cases.CaseReturned, "had not heard of it", PREVIOUS),
    silence(cases.CaseReturned, "the supervisor decides, and is told", DISPATCHERS),
    silence(cases.CaseReturned, "the dispatchers decide, and are told", SUPERVISORS),
    silence(cases.CaseReturned, _CALLER, OPERATOR),
    silence(cases.CaseReturned, _BELOW, OWNER),
    silence(cases.CaseResolved, "did it", HANDLER),
    silence(cases.CaseResolved, "is the one that did it", PREVIOUS),
    silence(cases.CaseResolved, "finds it among the resolved, to call the resident", OPERATOR),
    silence(cases.CaseResolved, _AS_IT_SHOULD, DISPATCHERS, SUPERVISORS),
    silence(cases.CaseRated, "rated it", RESIDENT),
    silence(cases.CaseRated, _LEADER, VOLUNTEERS),
    silence(cases.CaseRated, "the list and the figures show it", OPERATOR, PREVIOUS, DISPATCHERS, SUPERVISORS, OWNER),
    silence(cases.CaseReopened, "asked for it, and hears who has it next", RESIDENT, OPERATOR),
    silence(cases.CaseReopened, _NOBODY, HANDLER, VOLUNTEERS),
    silence(cases.CaseReopened, "it begins below again", SUPERVISORS, OWNER),
    silence(cases.CaseClosed, "withdrew it", RESIDENT),
    silence(cases.CaseClosed, "was done with it before", HANDLER, VOLUNTEERS, PREVIOUS),
    silence(cases.CaseClosed, _CALLER, OPERATOR),
    silence(cases.CaseClosed, _AS_IT_SHOULD, DISPATCHERS, SUPERVISORS),
    silence(cases.CaseClosed, _BELOW, OWNER),
    silence(cases.CaseCancelled, _ASKED, RESIDENT),
    silence(cases.CaseCancelled, "hear as those who had it", HANDLER, VOLUNTEERS),
    silence(cases.CaseCancelled, "nobody had it, or had heard of it", PREVIOUS),
    silence(cases.CaseCancelled, "somebody had it, and is told", DISPATCHERS),
    silence(cases.CaseCancelled, _CALLER, OPERATOR),
    silence(cases.CaseCancelled, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseRejected, "hear as those who had it", HANDLER, VOLUNTEERS),
    silence(cases.CaseRejected, "nobody had it, or had heard of it", PREVIOUS),
    silence(cases.CaseRejected, "they or the supervisor did it", DISPATCHERS, SUPERVISORS),
    silence(cases.CaseRejected, _CALLER, OPERATOR),
    silence(cases.CaseUrged, _ASKED, RESIDENT, OPERATOR),
    silence(cases.CaseUrged, _LEADER, VOLUNTEERS),
    silence(cases.CaseUrged, _GONE, PREVIOUS),
    silence(cases.CaseUrged, "somebody has it, and is told", DISPATCHERS),
    silence(cases.CaseUrged, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CommentAdded, "said it, or it is a note among staff", RESIDENT),
    silence(cases.CommentAdded, "the resident said it, or was told it", OPERATOR),
    silence(cases.CommentAdded, _LEADER, VOLUNTEERS),
    silence(cases.CommentAdded, _GONE, PREVIOUS),
    silence(cases.CommentAdded, "somebody has it and is told, or answered the resident", DISPATCHERS),
    silence(cases.CommentAdded, "reads it when it comes to them; an owner hears", SUPERVISORS),
    silence(cases.CommentAdded, "the resident was answered, as it should be", OWNER),
    silence(cases.CaseWarned, "hears of every change of the limit", RESIDENT, OPERATOR),
    silence(cases.CaseWarned, _LEADER, VOLUNTEERS),
    silence(cases.CaseWarned, _GONE, PREVIOUS),
    silence(cases.CaseWarned, "somebody has it, and is told", DISPATCHERS),
    silence(cases.CaseWarned, _AS_IT_SHOULD, SUPERVISORS),
    silence(cases.CaseWarned, _BELOW, OWNER),
    silence(cases.CaseOverdue, "hears when it goes up", RESIDENT, OPERATOR),
    silence(cases.CaseOverdue, _LEADER, VOLUNTEERS),
    silence(cases.CaseOverdue, _GONE, PREVIOUS),
    silence(cases.CaseOverdue, "hear when it goes up to them", SUPERVISORS, OWNER),
    silence(cases.CaseEscalated, "heard that it is late, or gave it back", HANDLER, DISPATCHERS),
    silence(cases.CaseEscalated, _LEADER, VOLUNTEERS),
    silence(cases.CaseEscalated, _GONE, PREVIOUS),
    silence(cases.CaseEscalated, _CALLER, OPERATOR),
    silence(cases.CaseEscalated, "hear as the owner", SUPERVISORS),
    silence(cases.CaseEscalated, "heard by the return", OWNER),
)

_SILENT: Mapping[type[Event], str] = {
    cases.CaseFiled: "acknowledged when it is certain who has it, most often in the same write",
    cases.LimitsSet: "told with the acknowledgement",
    cases.CaseVerified: "a step on the way; the timeline has it",
    cases.CaseStarted: "the resident heard that it was taken on",
    cases.CaseCalledBack: "the resident was there; a reopening follows where it is not solved",
    cases.CaseForgotten: "a notice would bring back what is to be forgotten",
    SlotReserved: "the case says so in the next event: CaseBooked",
    SlotRefused: "the case goes on to somebody else, which is told",
    SlotFreed: "between a case and its team",
}


def facts(what: Occurrence[Case], blind: Blind) -> Facts:
    """What every text about a case may use, and what its event adds."""
    code = tracking.code_from(blind(tracking.BLIND, what.copy.number))
    return {**_case_facts(what.copy), **_event_facts(what.event), "tracking": code}


subject = Subject(
    name="cases",
    copy=Case,
    parties=_PARTIES,
    rules=_RULES,
    silences=_SILENCES,
    silent=_SILENT,
    facts=facts,
)


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
        case cases.CaseDispatched() | cases.CaseBooked() | cases.CaseTeamAway():
            return {"handler": event.handler_name}
        case cases.CasePaused():
            return {"because": event.because}
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
