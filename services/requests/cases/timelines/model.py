"""How each event of a case appears in its timeline: one table, with who did it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.chassis.domain.events import Event, Recorded, decode
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.contracts.requests.alarms import CaseCalled, CaseLinked
from services.contracts.requests.case_parts import ByResident, Channel
from services.contracts.requests.dangers import DangerUnfounded
from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed
from services.requests.cases.model import Case


class Doer(StrEnum):
    """Who did something, as a role: no names of people."""

    RESIDENT = "resident"
    FOLLOWER = "follower"
    HANDLER = "handler"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class EventDisplay:
    """How one type of event reads: who does it, its facts, and its sealed words: those for everybody who sees the
    case, and those that only staff read.

    An ``inside`` event is for staff only.
    """

    by: Doer
    facts: tuple[str, ...] = ()
    words: str | None = None
    staff_words: str | None = None
    inside: bool = False

    def words_for(self, *, staff: bool) -> str | None:
        """The field with the words that this reader sees."""
        return (self.staff_words if staff else None) or self.words


def _display(by: Doer, *facts: str, words: str | None = None, staff: str | None = None) -> EventDisplay:
    return EventDisplay(by, facts, words, staff)


def _inside(by: Doer, *facts: str) -> EventDisplay:
    return EventDisplay(by, facts, inside=True)


DISPLAYS: Mapping[type[Event], EventDisplay] = {
    contract.CaseFiled: _display(Doer.RESIDENT),
    contract.LimitsSet: _display(Doer.SYSTEM, "due_at"),
    contract.LimitsMoved: _display(Doer.SYSTEM, "due_at"),
    contract.CaseDispatched: _display(Doer.STAFF, "tier", "handler_name", "forced"),
    contract.CaseBooked: _inside(Doer.SYSTEM, "handler_name"),
    contract.CaseTeamAway: _inside(Doer.SYSTEM, "handler_name"),
    contract.CaseUnassigned: _display(Doer.SYSTEM),
    contract.CaseAccepted: _display(Doer.HANDLER),
    contract.CaseStarted: _display(Doer.HANDLER),
    contract.CasePaused: _display(Doer.HANDLER, "until", "because", staff="reason"),
    contract.CaseResumed: _display(Doer.HANDLER, "due_at"),
    contract.CaseReturned: _display(Doer.HANDLER, "times", staff="reason"),
    contract.CaseResolved: _display(Doer.HANDLER, "outcome", words="answer"),
    contract.CaseCalledBack: _display(Doer.STAFF, "reached", "solved", "satisfied", staff="note"),
    contract.CaseRated: _display(Doer.RESIDENT, "score", "solved", words="remark"),
    contract.CaseReopened: _display(Doer.RESIDENT, "times", words="reason"),
    contract.CaseClosed: _display(Doer.STAFF, "reason"),
    contract.CaseCancelled: _display(Doer.RESIDENT, words="reason"),
    contract.CaseRejected: _display(Doer.STAFF, "reason", words="answer"),
    contract.CaseForgotten: _display(Doer.STAFF, "because"),
    CaseCalled: _inside(Doer.SYSTEM, "step", "place", "backup", "next_at"),
    CaseLinked: _inside(Doer.SYSTEM),
    contract.CaseUrged: _display(Doer.RESIDENT, "times"),
    CaseFollowed: _inside(Doer.FOLLOWER),
    CaseUnfollowed: _inside(Doer.FOLLOWER),
    DangerUnfounded: EventDisplay(Doer.STAFF, staff_words="reason", inside=True),
    contract.CommentAdded: _display(Doer.STAFF, "public", "from_resident", words="text"),
    contract.CaseWarned: _inside(Doer.SYSTEM, "due_at"),
    contract.CaseOverdue: _display(Doer.SYSTEM, "due_at"),
    contract.CaseEscalated: _display(Doer.SYSTEM, "level", "owner_place", "because"),
}
"""What is seen of an event by those who see the case; its name is a text (`timeline`)."""
_PLAIN = EventDisplay(Doer.STAFF)


def display_of(kind: type[Event]) -> EventDisplay:
    """How an event reads. Without an entry in the table: done by staff, or by the resident if the event says so."""
    return DISPLAYS.get(kind, _PLAIN)


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event, with who did it and the handler at that time."""

    recorded: Recorded
    event: Event
    display: EventDisplay
    doer: Doer
    handler: Words | None


def read(history: Iterable[Recorded]) -> Iterator[TimelineEvent]:
    """A history as a timeline, oldest first; the actor of each event follows from the events before it."""
    handler: Words | None = None
    opening = rating = ""
    for recorded in history:
        event = decode(Case.events, recorded)
        if isinstance(event, contract.CaseFiled | contract.CaseReopened):
            opening = recorded.cause
        if isinstance(event, contract.CaseRated):
            rating = recorded.cause
        if isinstance(event, contract.CaseDispatched):
            handler = event.handler_name
        yield TimelineEvent(recorded, event, display_of(type(event)), _doer(recorded, event, opening, rating), handler)


def is_inside(event: Event) -> bool:
    """Whether only staff may see it: also a change of the calendar that leaves the case due when it was."""
    match event:
        case contract.CommentAdded():
            return not event.public
        case contract.LimitsMoved():
            return event.due_at == event.was_due_at
    return display_of(type(event)).inside


def _doer(recorded: Recorded, event: Event, opening: str, rating: str) -> Doer:
    by = display_of(type(event)).by
    if recorded.cause == rating and isinstance(event, contract.CaseClosed):
        return Doer.RESIDENT  # a case that its resident calls solved is closed in the same write
    routed = recorded.cause == opening and isinstance(event, contract.CaseDispatched)
    if routed or by is Doer.SYSTEM or not recorded.cause.startswith("http:"):
        return Doer.SYSTEM
    if by is Doer.RESIDENT or isinstance(event, ByResident):
        return Doer.RESIDENT if _by_resident(event) else Doer.STAFF
    return by


def _by_resident(event: Event) -> bool:
    """Whether the resident did what residents do, and nobody for them."""
    match event:
        case contract.CaseFiled():
            return event.channel == Channel.SELF
        case contract.CaseRated():
            return True  # nobody rates for somebody else
        case ByResident():
            return event.by_resident
    return False
