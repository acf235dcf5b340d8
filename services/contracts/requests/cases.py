"""What requests tells of the life of every case."""

from enum import StrEnum

from pydantic import BaseModel

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant, PublicText, Sealed
from services.contracts.requests.catalogue import System, Tier


class EscalationCause(StrEnum):
    """Why a case climbed."""

    UNASSIGNED = "unassigned"
    UNACCEPTED = "unaccepted"
    OVERDUE = "overdue"
    RETURNED = "returned"


class Channel(StrEnum):
    """How a request came in."""

    SELF = "self"
    ON_BEHALF = "on_behalf"


class CloseReason(StrEnum):
    """Why a case was closed: apart from its state, so that closed need not mean fixed."""

    FIXED = "fixed"
    PARTLY_FIXED = "partly_fixed"
    NOT_OUR_DUTY = "not_our_duty"
    NO_ACTION = "no_action"
    WITHDRAWN = "withdrawn"


class Filing(BaseModel):
    """What is known of a request when it is filed."""

    number: Code
    filed_at: Instant
    resident_id: Id
    filed_by: Id
    channel: Channel | str
    item: Code
    item_zh: PublicText
    item_en: PublicText
    system: System | str
    area: Code
    title: Sealed
    text: Sealed
    address: Sealed | None = None
    position: Sealed | None = None
    answers: Sealed | None = None
    skill: Code | None = None
    team_kind: Code | None = None
    department: Code
    tiers: list[Tier | str]
    first_response_hours: float
    resolution_hours: float


class ByResident(BaseModel):
    """Of an event that the resident or staff for them may have caused: whether it was the resident."""

    by_resident: bool = False


class CaseFiled(Filing, Event):
    """A request was filed; its clock starts at ``filed_at``."""


class LimitsSet(Event):
    """By when a case is to be answered and resolved, on working time."""

    respond_by: Instant
    warn_at: Instant
    due_at: Instant


class CaseVerified(Event):
    """Somebody checked that a request is real and ours."""


class CaseDispatched(Event):
    """A case was given to a station, a team, a centre or a department; a ``forced`` one cannot be returned."""

    tier: Tier | str
    handler_id: Id
    handler_zh: PublicText
    handler_en: PublicText | None = None
    forced: bool = False
    respond_by: Instant | None = None


class UnassignedBecause(StrEnum):
    """Why a case has no handler: nobody serves its place, everybody who does has had it, or its team is full."""

    NOBODY_SERVES = "nobody_serves"
    NOBODY_LEFT = "nobody_left"
    TEAM_FULL = "team_full"


class CaseUnassigned(Event):
    """No rule found anybody for a case: it waits for a dispatcher, and its clock runs."""

    reason: UnassignedBecause | str


class CaseAccepted(Event):
    """Its handler took a case on."""


class CaseStarted(Event):
    """Work on a case began."""


class CasePaused(Event):
    """A case waits for something outside; its clock stands from ``paused_at``, at the longest ``until``."""

    reason: Sealed
    paused_at: Instant
    until: Instant | None = None


class CaseResumed(Event):
    """A case goes on, with the working time that it waited added to its limits."""

    respond_by: Instant
    warn_at: Instant
    due_at: Instant
    next_at: Instant | None = None
    stood_hours: float = 0.0


class CaseReturned(Event):
    """A handler gave a case back as not theirs; after the second time it goes to the supervisor."""

    reason: Sealed
    times: int
    respond_by: Instant | None = None


class CaseResolved(Event):
    """A case was done, with an answer to its resident."""

    outcome: CloseReason | str
    answer: Sealed
    resolved_at: Instant


class CaseCalledBack(Event):
    """The resident was asked after a case: reached, solved, satisfied."""

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
    note: Sealed | None = None


class CaseRated(Event):
    """The resident rated what was done, from 1 to 5."""

    score: int
    solved: bool
    remark: Sealed | None = None


class CaseReopened(ByResident, Event):
    """The resident was not content within the time given for it: the case goes on."""

    reason: Sealed
    times: int


class CaseClosed(Event):
    """A case is over."""

    reason: CloseReason | str


class CaseCancelled(ByResident, Event):
    """The resident withdrew a case."""

    reason: Sealed | None = None


class CaseRejected(Event):
    """A case was refused, with what the resident is told."""

    reason: CloseReason | str
    answer: Sealed


class CaseUrged(ByResident, Event):
    """The resident urged a case on."""

    times: int
    urged_at: Instant


class CommentAdded(ByResident, Event):
    """Somebody added words to a case; ``public`` ones are seen by the resident."""

    text: Sealed
    public: bool
    author_id: Id
    by_resident: bool


class CaseWarned(Event):
    """Four fifths of the time for a case have gone."""

    due_at: Instant


class CaseOverdue(Event):
    """The time for a case is over."""

    due_at: Instant


class CaseEscalated(Event):
    """A case climbed one level; whoever answers for that level answers for it now."""

    level: int
    owner_id: Id | None
    owner_place: Code
    because: EscalationCause | str
    next_at: Instant | None = None


Handing = CaseDispatched | CaseUnassigned | CaseReturned | CaseReopened
"""Who has the case changes."""
Timing = LimitsSet | CaseAccepted | CasePaused | CaseResumed | CaseWarned | CaseOverdue | CaseEscalated
"""What its clocks say changes."""
Ending = CaseResolved | CaseClosed | CaseRejected | CaseCancelled
"""The work on it ends."""
Hearing = CaseRated | CaseUrged
"""Its resident says something that is counted."""
Noting = CaseVerified | CaseStarted | CaseCalledBack | CommentAdded
"""No field of the case changes, at most its state: the history has it."""
CaseEvent = CaseFiled | Handing | Timing | Ending | Hearing | Noting
"""Everything that happens to a case."""
