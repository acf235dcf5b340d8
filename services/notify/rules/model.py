"""The table of rules, the audiences it names, and the events of which nobody is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.chassis.domain.events import Event
from services.contracts.members.accounts import SignInCodeIssued
from services.contracts.members.areas import path
from services.contracts.members.roles import Role
from services.contracts.members.teams import TeamMemberJoined
from services.contracts.requests import cases
from services.contracts.requests.catalogue import ItemPublished, ItemWithdrawn
from services.contracts.requests.dispatch import SlotFreed, SlotRefused, SlotReserved
from services.notify.audience.model import Case, Team, post
from services.notify.audience.queries import Address
from services.notify.templates.model import Facts, Names

RETURNED_OFTEN = 2
"""From so many returns on it is the supervisor who decides."""

_SOMEBODY = Names("工作人员", "our staff")
_NOT_SET = Names("待定时间", "a time to be set")
_LEVELS = {4: Names("市级", "city"), 6: Names("旗县市区", "county"), 9: Names("街道", "sub-district")}
_CAUSES: dict[str, Names] = {
    cases.EscalationCause.UNASSIGNED: Names("尚未确定承办单位", "nobody has it yet"),
    cases.EscalationCause.UNACCEPTED: Names("没有按时接单", "it was not taken on in time"),
    cases.EscalationCause.OVERDUE: Names("没有按时办结", "it was not done in time"),
    cases.EscalationCause.RETURNED: Names("多次被退回", "it was returned several times"),
}


@dataclass(frozen=True)
class Occurrence:
    """One event, and what was known of the thing it happened to."""

    id: str
    event: Any
    entity: str
    version: int
    at: datetime
    by: str
    case: Case | None = None
    team: Team | None = None

    @property
    def of_case(self) -> Case:
        """The case it happened to; only events of requests have one."""
        assert self.case is not None
        return self.case


class Audience(Protocol):
    """Who is to hear of an event."""

    staff: bool

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """Where they are found: the first choice that has anybody counts."""


@dataclass(frozen=True)
class Resident:
    """The resident whose case it is."""

    staff = False

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """One person."""
        return [[Address("person", what.of_case.resident_id)]]


@dataclass(frozen=True)
class Named:
    """The person whom a field of the event names."""

    field: str = "person_id"
    staff = False

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """One person."""
        return [[Address("person", getattr(what.event, self.field))]]


@dataclass(frozen=True)
class Dispatchers:
    """Those who dispatch where the case lies; where there are none, whoever supervises above."""

    staff = True

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """The posts of the sub-district, then of the county, then of the city."""
        above = [level for level in reversed(path(what.of_case.area)) if len(level) <= 9]
        return [[_at(Role.DISPATCHER, place), *_supervising(place)] for place in above]


@dataclass(frozen=True)
class Handler:
    """Those who work for the organisation or team that has the case, with its leader; else those who dispatch."""

    field: str = "handler_id"
    staff = True

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """The handler that the event names, or that the case names."""
        handler = getattr(what.event, self.field, None) or getattr(what.of_case, self.field)
        own = [[Address("organisation", handler)]] if handler else []
        return [*own, *Dispatchers().choices(what)]


@dataclass(frozen=True)
class Volunteers:
    """The members of the team that has the case: they are called, but may not see what is said among staff."""

    staff = True

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """The team; nobody where an organisation has the case."""
        team = getattr(what.event, "handler_id", None) or what.of_case.handler_id
        return [[Address("team", team)]] if team else []


@dataclass(frozen=True)
class Supervisors:
    """Those who supervise above the case, the nearest first."""

    staff = True

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """The posts of the county, then of the city."""
        return [[_at(Role.SUPERVISOR, place)] for place in reversed(path(what.of_case.area)[:2])]


@dataclass(frozen=True)
class Owner:
    """Those who answer for the level to which a case has climbed."""

    staff = True

    def choices(self, what: Occurrence) -> Sequence[Sequence[Address]]:
        """The owning organisation, and the posts of its place; else whoever supervises above."""
        event: cases.CaseEscalated = what.event
        owning = [Address("organisation", event.owner_id)] if event.owner_id else []
        place = event.owner_place
        posts = [_at(Role.SUPERVISOR, place)] if len(place) <= 6 else [_at(Role.DISPATCHER, place)]
        return [[*owning, *posts], *Supervisors().choices(what)]


@dataclass(frozen=True)
class Tell:
    """One rule. ``words`` names a sealed field of the event that is quoted to the resident to whom it belongs.

    What staff are told never quotes anybody: it would stay readable under their key when the resident is erased.
    """

    event: type[Event]
    to: Audience
    template: str
    when: Callable[[Occurrence], bool] = lambda _: True
    words: str | None = None
    texted: bool = False
    """Worth a text message, to those who want them; residents do unless they have chosen otherwise."""
    urgent: bool = False
    """Passes quiet hours."""
    by_phone: bool = False
    """Only as a text message to the phone that the event brings; it expires with the event."""


def _first_routed(what: Occurrence) -> bool:
    return what.version == what.of_case.routed


def _routed_again(what: Occurrence) -> bool:
    return not _first_routed(what)


def _returned_often(what: Occurrence) -> bool:
    return bool(what.event.times >= RETURNED_OFTEN)


def _returned_seldom(what: Occurrence) -> bool:
    return not _returned_often(what)


def _by_resident(what: Occurrence) -> bool:
    return bool(what.event.by_resident)


def _for_resident(what: Occurrence) -> bool:
    return bool(what.event.public and not what.event.by_resident)


def _among_staff(what: Occurrence) -> bool:
    return not what.event.public and not what.event.by_resident


def _not_withdrawn(what: Occurrence) -> bool:
    return bool(what.event.reason != cases.CloseReason.WITHDRAWN)


def _not_returned(what: Occurrence) -> bool:
    return bool(what.event.because != cases.EscalationCause.RETURNED)


TABLE: tuple[Tell, ...] = (
    Tell(SignInCodeIssued, Named(), "sign-in-code", urgent=True, by_phone=True),
    Tell(TeamMemberJoined, Named(), "team-joined"),
    # A case is acknowledged when it is first given to somebody: filing does that in the same write.
    Tell(cases.CaseDispatched, Resident(), "case-filed", when=_first_routed, texted=True),
    Tell(cases.CaseUnassigned, Resident(), "case-filed-unassigned", when=_first_routed, texted=True),
    Tell(cases.CaseDispatched, Resident(), "case-moved", when=_routed_again),
    Tell(cases.CaseDispatched, Handler(), "case-assigned", texted=True),
    Tell(cases.CaseDispatched, Volunteers(), "team-called"),
    Tell(cases.CaseUnassigned, Dispatchers(), "case-unassigned", texted=True),
    Tell(cases.CaseAccepted, Resident(), "case-accepted"),
    Tell(cases.CasePaused, Resident(), "case-paused", words="reason"),
    Tell(cases.CaseResumed, Resident(), "case-resumed"),
    Tell(cases.CaseReturned, Dispatchers(), "case-returned", when=_returned_seldom),
    Tell(cases.CaseReturned, Supervisors(), "case-returned-again", when=_returned_often, texted=True),
    Tell(cases.CaseResolved, Resident(), "case-resolved", words="answer", texted=True),
    Tell(cases.CaseRated, Handler(), "case-rated"),
    Tell(cases.CaseReopened, Handler("settled_by"), "case-reopened"),
    Tell(cases.CaseReopened, Dispatchers(), "case-reopened"),
    Tell(cases.CaseClosed, Resident(), "case-closed", when=_not_withdrawn),
    Tell(cases.CaseCancelled, Handler(), "case-cancelled"),
    Tell(cases.CaseCancelled, Volunteers(), "case-cancelled"),
    Tell(cases.CaseRejected, Resident(), "case-rejected", words="answer", texted=True),
    Tell(cases.CaseUrged, Handler(), "case-urged", texted=True),
    Tell(cases.CommentAdded, Handler(), "comment-from-resident", when=_by_resident),
    Tell(cases.CommentAdded, Resident(), "comment-from-staff", when=_for_resident, words="text"),
    Tell(cases.CommentAdded, Handler(), "comment-among-staff", when=_among_staff),
    Tell(cases.CaseWarned, Handler(), "case-warned", texted=True),
    Tell(cases.CaseOverdue, Handler(), "case-overdue", texted=True, urgent=True),
    Tell(cases.CaseOverdue, Dispatchers(), "case-overdue", texted=True, urgent=True),
    # A case that climbs because it was returned too often: its supervisor has heard of the return.
    Tell(cases.CaseEscalated, Owner(), "case-escalated-to-you", when=_not_returned, texted=True, urgent=True),
    Tell(cases.CaseEscalated, Resident(), "case-escalated"),
)
"""Every rule, one a line. Of several that reach the same person with one event the first counts."""

SILENT: dict[type[Event], str] = {
    ItemPublished: "the catalogue is read, not told",
    ItemWithdrawn: "the catalogue is read, not told",
    cases.CaseFiled: "acknowledged when the case is first given to somebody, in the same write",
    cases.LimitsSet: "told with the acknowledgement",
    cases.CaseVerified: "a step on the way; the timeline has it",
    cases.CaseStarted: "the resident heard that it was taken on",
    cases.CaseCalledBack: "the resident was there",
    SlotReserved: "between a case and its team",
    SlotRefused: "the case goes on to somebody else, which is told",
    SlotFreed: "between a case and its team",
}
"""Events of requests of which nobody is told, and why."""


def facts(what: Occurrence) -> dict[str, Any]:
    """What fills the gaps of a template, but for the quoted words and the codes."""
    if what.team is not None:
        return {"team": Names(what.team.name, what.team.name_en)}
    if what.case is None:
        return {"until": what.event.expires_at}
    return {**_case_facts(what.case), **_event_facts(what.event)}


def _case_facts(case: Case) -> Facts:
    return {
        "number": case.number,
        "item": Names(case.item_zh, case.item_en),
        "handler": Names(case.handler_zh, case.handler_en) if case.handler_zh else _SOMEBODY,
        "due": case.due_at or _NOT_SET,
    }


def _event_facts(event: Any) -> dict[str, Any]:
    match event:
        case cases.CaseDispatched():
            return {"handler": Names(event.handler_zh, event.handler_en)}
        case cases.CaseResumed() | cases.CaseWarned() | cases.CaseOverdue():
            return {"due": event.due_at}
        case cases.CaseReturned() | cases.CaseReopened() | cases.CaseUrged():
            return {"times": event.times}
        case cases.CaseRated():
            return {"score": event.score}
        case cases.CaseEscalated():
            return {
                "level": _LEVELS.get(len(event.owner_place), _LEVELS[4]),
                "because": _CAUSES.get(event.because, _CAUSES[cases.EscalationCause.OVERDUE]),
            }
        case _:
            return {}


def _at(role: Role, place: str) -> Address:
    return Address("post", post(role, place))


def _supervising(place: str) -> list[Address]:
    return [_at(Role.SUPERVISOR, place)] if len(place) <= 6 else []
