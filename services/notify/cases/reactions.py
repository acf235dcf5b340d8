"""The rules of cases: which party gets a notice of which event, and the facts for the texts."""

from collections.abc import Callable
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.words import Words
from services.contracts.members.areas import LENGTHS, Level
from services.contracts.requests import cases, tracking
from services.contracts.requests.alarms import CaseCalled, CaseLinked
from services.contracts.requests.dangers import read
from services.notify.cases.alarms import model as alarms
from services.notify.cases.alarms.model import CALLED, LEVEL, ON_CALL
from services.notify.cases.model import Case
from services.notify.cases.parties import model as parties
from services.notify.cases.parties.model import (
    DISPATCHERS,
    FOLLOWERS,
    HANDLER,
    OPERATOR,
    OWNER,
    PARTIES,
    PREVIOUS,
    RESIDENT,
    SUPERVISORS,
    VOLUNTEERS,
)
from services.notify.cases.silences.model import SILENCES, SILENT
from services.notify.rules.model import Blind, Occurrence, Subject, Tell
from services.notify.templates.model import Facts

_LEVELS = {LENGTHS[level]: level for level in (Level.CITY, Level.COUNTY, Level.SUB_DISTRICT)}

_NEUTRAL: Facts = {"item": "item", "handler": "handler", "tracking": "tracking"}
"""Facts of a sensitive case for who looks at a phone: keys of the section ``unset`` of the texts."""


def _advised(
    event: type[Event], template: str, when: Callable[[Occurrence[Case]], bool], *, urgent: bool = False
) -> Tell[Case]:
    """The acknowledgement with what to do at once; in danger also in quiet hours: who asked is awake."""
    return Tell(event, RESIDENT, template, when=when, quotes="advice", texted=True, urgent=urgent)


_RULES: tuple[Tell[Case], ...] = (
    # A case is acknowledged when it is certain who has it: filing does that in the same write, but for a team.
    _advised(cases.CaseDispatched, "case-filed-in-danger", parties.certain_first_in_danger, urgent=True),
    _advised(cases.CaseDispatched, "case-filed-in-danger", parties.certain_first_advised),
    Tell(cases.CaseDispatched, RESIDENT, "case-filed", when=parties.certain_first, texted=True),
    # Of a danger the resident hears who accepted it; and its first handler with the first call, once for one danger.
    Tell(cases.CaseDispatched, RESIDENT, "case-moved", when=alarms.calm_again),
    Tell(cases.CaseDispatched, HANDLER, "case-assigned", when=alarms.calm, texted=True),
    Tell(
        cases.CaseDispatched,
        HANDLER,
        "danger-assigned",
        when=alarms.alarming_again,
        texted=True,
        urgent=True,
        unless_own=True,
    ),
    Tell(cases.CaseDispatched, HANDLER, "case-assigned", when=alarms.alarming),
    Tell(cases.CaseDispatched, PREVIOUS, "case-left", when=parties.was_theirs),
    Tell(
        cases.CaseDispatched,
        DISPATCHERS,
        "case-without-hands",
        when=parties.certain,
        texted=True,
        instead_of=HANDLER,
    ),
    _advised(cases.CaseBooked, "case-filed-in-danger", parties.first_routed_in_danger, urgent=True),
    _advised(cases.CaseBooked, "case-filed-in-danger", parties.first_routed_advised),
    Tell(cases.CaseBooked, RESIDENT, "case-filed", when=parties.first_routed, texted=True),
    Tell(cases.CaseBooked, RESIDENT, "case-moved"),
    Tell(cases.CaseBooked, HANDLER, "case-assigned", texted=True),
    Tell(cases.CaseBooked, VOLUNTEERS, "team-called", texted=True),
    Tell(cases.CaseBooked, DISPATCHERS, "case-without-hands", texted=True, instead_of=HANDLER),
    Tell(cases.CaseTeamAway, DISPATCHERS, "case-team-away", texted=True),
    _advised(cases.CaseUnassigned, "case-filed-unassigned-in-danger", parties.first_routed_in_danger, urgent=True),
    _advised(cases.CaseUnassigned, "case-filed-unassigned-in-danger", parties.first_routed_advised),
    Tell(cases.CaseUnassigned, RESIDENT, "case-filed-unassigned", when=parties.first_routed, texted=True),
    Tell(cases.CaseUnassigned, DISPATCHERS, "case-unassigned", texted=True),
    Tell(cases.CaseAccepted, RESIDENT, "danger-accepted", when=alarms.in_danger, texted=True, urgent=True),
    Tell(cases.CaseAccepted, RESIDENT, "case-accepted"),
    Tell(cases.CaseAccepted, ON_CALL, "call-over", when=alarms.somebody_was_called, texted=True, urgent=True),
    Tell(CaseCalled, ON_CALL, "case-called", when=alarms.somebody_called, texted=True, urgent=True, by_all=True),
    Tell(CaseCalled, LEVEL, "nobody-at-top", when=alarms.nobody_at_top, texted=True, urgent=True, by_all=True),
    Tell(CaseCalled, LEVEL, "nobody-on-call", when=alarms.nobody_on_call, texted=True, urgent=True, by_all=True),
    Tell(CaseCalled, HANDLER, "danger-assigned", when=alarms.first_called, texted=True, urgent=True),
    Tell(CaseLinked, RESIDENT, "case-linked"),
    Tell(CaseLinked, HANDLER, "case-linked-for-staff"),
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
    Tell(cases.LimitsMoved, RESIDENT, "case-due-moved", when=parties.due_moved),
    Tell(cases.LimitsMoved, HANDLER, "case-due-moved-for-staff", when=parties.due_moved),
    Tell(cases.CaseAccepted, FOLLOWERS, "followed-accepted"),
    Tell(cases.CasePaused, FOLLOWERS, "followed-paused"),
    Tell(cases.CaseResumed, FOLLOWERS, "followed-resumed"),
    Tell(cases.CaseResolved, FOLLOWERS, "followed-resolved"),
    Tell(cases.CaseReopened, FOLLOWERS, "followed-reopened"),
    Tell(cases.CaseCancelled, FOLLOWERS, "followed-cancelled"),
    Tell(cases.CaseRejected, FOLLOWERS, "followed-rejected"),
    Tell(cases.CaseWarned, HANDLER, "case-warned", texted=True),
    Tell(cases.CaseWarned, DISPATCHERS, "case-warned", texted=True, instead_of=HANDLER),
    Tell(cases.CaseOverdue, HANDLER, "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseOverdue, DISPATCHERS, "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseEscalated, RESIDENT, "case-escalated"),
    Tell(
        cases.CaseEscalated,
        OWNER,
        "danger-escalated-to-you",
        when=alarms.unaccepted_danger,
        texted=True,
        urgent=True,
        by_all=True,
    ),
    Tell(cases.CaseEscalated, OWNER, "case-escalated-to-you", when=parties.not_returned, texted=True, urgent=True),
    Tell(cases.CaseEscalated, HANDLER, "case-went-up", when=parties.not_accepted),
)


def facts(what: Occurrence[Case], blind: Blind) -> Facts:
    """What every text about a case may use, and what its event adds."""
    code = tracking.code_from(blind(tracking.BLIND, what.copy.number))
    return {**_case_facts(what.copy), **_event_facts(what.event), "tracking": code}


def quoted(advice: str) -> Facts:
    """What to do at once: all of it, and the first of it in short."""
    known = read(advice)
    languages = sorted({language for one in known for language in one.text.texts()})
    whole = {language: "\n".join(one.text.of(language) for one in known) for language in languages}
    return {"advice": Words.model_validate(whole), "advice_short": known[0].short}


def is_sensitive(what: Occurrence[Case]) -> bool:
    """Whether the case is about something that nobody else is to read."""
    return what.copy.sensitive


def outside(facts: Facts) -> Facts:
    """The facts without those that tell what a case is about, or who has it."""
    return {name: _NEUTRAL.get(name, fact) for name, fact in facts.items()}


subject = Subject(
    name="cases",
    copy=Case,
    parties=(*PARTIES, *CALLED),
    rules=_RULES,
    silences=SILENCES,
    silent=SILENT,
    facts=facts,
    quoted=quoted,
    sensitive=is_sensitive,
    outside=outside,
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
        case CaseCalled():
            return {"next": event.next_at, "place": event.place_name or "place"}
        case cases.CasePaused():
            return {"because": event.because}
        case cases.CaseResumed() | cases.CaseWarned() | cases.CaseOverdue() | cases.LimitsMoved():
            return {"due": event.due_at}
        case cases.CaseReturned() | cases.CaseReopened() | cases.CaseUrged():
            return {"times": event.times}
        case cases.CaseRated():
            return {"score": event.score}
        case cases.CaseEscalated():
            return {"level": _LEVELS.get(len(event.owner_place), Level.CITY), "because": event.because}
        case _:
            return {}
