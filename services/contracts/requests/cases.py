"""The events in the life of a case."""

from enum import StrEnum

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant, Sealed
from services.chassis.domain.words import Words
from services.contracts.requests.alarms import AlarmEvent
from services.contracts.requests.case_parts import ByResident, Filing, InDanger, LeavesHandler, OfHandler, WithEnd
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dangers import DangerUnfounded
from services.contracts.requests.followers import FollowerEvent


class EscalationCause(StrEnum):
    """Why a case escalated."""

    UNASSIGNED = "unassigned"
    UNACCEPTED = "unaccepted"
    OVERDUE = "overdue"
    RETURNED = "returned"


MOST_RETURNS = 2
"""How often a case may be returned; then the supervisor decides who handles it."""


class CloseReason(StrEnum):
    """Why a case was closed. It is separate from the state, so that closed need not mean fixed."""

    FIXED = "fixed"
    PARTLY_FIXED = "partly_fixed"
    NOT_OUR_DUTY = "not_our_duty"
    NO_ACTION = "no_action"
    WITHDRAWN = "withdrawn"


class ForgetCause(StrEnum):
    """Why the words of a case were forgotten."""

    TERM = "term"
    ASKED = "asked"
    MISTAKE = "mistake"
    ORDER = "order"
    ERASED = "erased"


class CaseFiled(Filing, Event):
    """A request was filed; its clock starts at ``filed_at``."""


class LimitsSet(Event):
    """By when a case is to be answered and resolved, on working time, by this version of the city's calendar."""

    respond_by: Instant
    warn_at: Instant
    due_at: Instant
    calendar_version: int = 0


class LimitsMoved(OfHandler, Event):
    """The city set other working times: as much of them as before is left until each limit that is not over.

    ``due_at`` is when the case is due now, ``was_due_at`` when it was before: the same where the other days do not
    concern it. ``due_unpaused`` and ``next_at`` as far as it is paused, or waits to go up.
    """

    respond_by: Instant
    warn_at: Instant
    due_at: Instant
    was_due_at: Instant
    due_unpaused: Instant | None = None
    next_at: Instant | None = None
    calendar_version: int = 0


class CaseVerified(Event):
    """Somebody checked that a request is real and ours."""


class CaseDispatched(LeavesHandler, Event):
    """A case was given to a station, a team, a centre or a department; if ``forced``, it cannot be returned.

    With a volunteer team it is certain only when the team has a slot for it: CaseBooked.
    """

    tier: Tier | str
    handler_id: Id
    handler_name: Words
    forced: bool = False
    respond_by: Instant | None = None


class UnassignedBecause(StrEnum):
    """Why a case has no handler: nobody serves its place, everybody who does has had it, or its team is full."""

    NOBODY_SERVES = "nobody_serves"
    NOBODY_LEFT = "nobody_left"
    TEAM_FULL = "team_full"


class CaseUnassigned(LeavesHandler, Event):
    """The rules found no handler for a case: it waits for a dispatcher, and its clock runs."""

    reason: UnassignedBecause | str


class CaseBooked(Event):
    """The volunteer team that a case was given to has a slot for it: now it is told, and so is the resident."""

    handler_id: Id
    handler_name: Words


class CaseTeamAway(Event):
    """The volunteer team that has a case went off duty: a dispatcher decides whether somebody else is to do it."""

    handler_id: Id
    handler_name: Words


class CaseAccepted(InDanger, Event):
    """The handler accepted a case; if it is the first acceptance, ``response_seconds`` since filing or reopening."""

    response_seconds: float | None = None


class CaseStarted(Event):
    """Work on a case began."""


class PauseCause(StrEnum):
    """What a case waits for, in the words that its resident reads."""

    PARTS = "parts"
    WEATHER = "weather"
    RESIDENT = "resident"
    OTHER_BODY = "other_body"
    APPROVAL = "approval"
    OTHER = "other"


class CasePaused(OfHandler, Event):
    """A case waits for something outside; its clock is paused from ``paused_at``, at most until ``until``.

    ``because`` is for everybody; ``reason`` is read by staff. ``due_at`` is when it is due if it waits until then.
    """

    because: PauseCause | str
    reason: Sealed
    paused_at: Instant
    until: Instant | None = None
    due_at: Instant


class CaseResumed(OfHandler, Event):
    """A case was resumed; its limits moved by the working time of the pause."""

    respond_by: Instant
    warn_at: Instant
    due_at: Instant
    next_at: Instant | None = None
    paused_hours: float = 0.0


class CaseReturned(LeavesHandler, Event):
    """A handler returned a case, with a reason that staff read; after the second time the supervisor decides."""

    reason: Sealed
    times: int
    respond_by: Instant | None = None


class CaseResolved(OfHandler, LeavesHandler, Event):
    """A case was resolved, with an answer to its resident; ``resolution_seconds`` since it was filed or reopened."""

    outcome: CloseReason | str
    answer: Sealed
    resolved_at: Instant
    resolution_seconds: float


class CaseCalledBack(Event):
    """The resident was asked about a resolved case: reached, solved, satisfied."""

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    note: Sealed | None = None


class CaseRated(OfHandler, Event):
    """The resident rated what was done, from 1 to 5."""

    score: int
    solved: bool
    remark: Sealed | None = None


class CaseReopened(ByResident, LeavesHandler, Event):
    """The resident was not satisfied and had the case reopened within the time for it."""

    reason: Sealed
    times: int
    reopened_at: Instant


class CaseClosed(WithEnd, Event):
    """A case was closed."""

    reason: CloseReason | str


class CaseCancelled(ByResident, LeavesHandler, WithEnd, InDanger, Event):
    """A case was withdrawn."""

    reason: Sealed | None = None


class CaseRejected(LeavesHandler, WithEnd, InDanger, Event):
    """A case was rejected, with an answer to its resident."""

    reason: CloseReason | str
    answer: Sealed


class CaseForgotten(Event):
    """The key of a case is gone: nobody reads its words any more, and what is left are its facts."""

    because: ForgetCause | str


class CaseUrged(ByResident, OfHandler, Event):
    """A case was urged."""

    times: int
    urged_at: Instant


class CommentAdded(ByResident, OfHandler, Event):
    """A comment was added to a case; the resident sees ``public`` ones.

    ``from_resident``: what the resident said, written by them or passed on by staff.
    """

    text: Sealed
    public: bool
    author_id: Id
    by_resident: bool
    from_resident: bool


class CaseWarned(OfHandler, Event):
    """Four fifths of the time for a case are over."""

    due_at: Instant


class CaseOverdue(OfHandler, Event):
    """The time for a case is over."""

    due_at: Instant


class CaseEscalated(OfHandler, Event):
    """A case escalated one level; the owner of that level answers for it now."""

    level: int
    owner_id: Id | None
    owner_place: Code
    because: EscalationCause | str
    next_at: Instant | None = None


HandlerEvent = CaseDispatched | CaseBooked | CaseUnassigned | CaseReturned | CaseReopened
"""Who has the case changes."""
ClockEvent = (
    LimitsSet | LimitsMoved | CaseAccepted | CasePaused | CaseResumed | CaseWarned | CaseOverdue | CaseEscalated
)
"""What its clocks say changes."""
EndEvent = CaseResolved | CaseClosed | CaseRejected | CaseCancelled
"""The work on it ends."""
ResidentFeedback = CaseRated | CaseUrged
"""Its resident says something that is counted."""
HistoryOnlyEvent = CaseVerified | CaseTeamAway | CaseStarted | CaseCalledBack | CommentAdded
"""No field of the case changes, at most its state: the history has it."""
CaseEvent = (
    CaseFiled
    | HandlerEvent
    | ClockEvent
    | EndEvent
    | ResidentFeedback
    | FollowerEvent
    | AlarmEvent
    | DangerUnfounded
    | HistoryOnlyEvent
    | CaseForgotten
)
"""Everything that happens to a case."""
