"""How each event of a case appears in its timeline: one table, with who did it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.chassis.domain.events import Event, Recorded, decode
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.contracts.requests.cases import Channel
from services.requests.cases.model import Case


class Doer(StrEnum):
    """Who did something, as a role: no names of people."""

    RESIDENT = "resident"
    HANDLER = "handler"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Line:
    """How one type of event reads: who does it, its sealed words and the facts that are shown."""

    by: Doer
    words: str | None = None
    facts: tuple[str, ...] = ()
    inside: bool = False


def _line(by: Doer, *facts: str, words: str | None = None) -> Line:
    return Line(by, words, facts)


LINES: Mapping[type[Event], Line] = {
    contract.CaseFiled: _line(Doer.RESIDENT),
    contract.LimitsSet: _line(Doer.SYSTEM, "due_at"),
    contract.CaseDispatched: _line(Doer.STAFF, "tier", "handler_zh", "handler_en", "forced"),
    contract.CaseUnassigned: _line(Doer.SYSTEM),
    contract.CaseAccepted: _line(Doer.HANDLER),
    contract.CaseStarted: _line(Doer.HANDLER),
    contract.CasePaused: _line(Doer.HANDLER, "until", words="reason"),
    contract.CaseResumed: _line(Doer.HANDLER, "due_at"),
    contract.CaseReturned: _line(Doer.HANDLER, "times", words="reason"),
    contract.CaseResolved: _line(Doer.HANDLER, "outcome", words="answer"),
    contract.CaseCalledBack: _line(Doer.STAFF, "reached", "solved", "satisfied"),
    contract.CaseRated: _line(Doer.RESIDENT, "score", "solved", words="remark"),
    contract.CaseReopened: _line(Doer.RESIDENT, "times", words="reason"),
    contract.CaseClosed: _line(Doer.STAFF, "reason"),
    contract.CaseCancelled: _line(Doer.RESIDENT, words="reason"),
    contract.CaseRejected: _line(Doer.STAFF, "reason", words="answer"),
    contract.CaseForgotten: _line(Doer.STAFF, "because"),
    contract.CaseUrged: _line(Doer.RESIDENT, "times"),
    contract.CommentAdded: _line(Doer.STAFF, words="text"),
    contract.CaseWarned: Line(Doer.SYSTEM, facts=("due_at",), inside=True),
    contract.CaseOverdue: _line(Doer.SYSTEM, "due_at"),
    contract.CaseEscalated: _line(Doer.SYSTEM, "level", "owner_place", "because"),
}
"""What everybody who sees the case sees of an event; its name is a text (`timeline`). `inside` is for staff only."""
_PLAIN = Line(Doer.STAFF)


def line_of(kind: type[Event]) -> Line:
    """How an event reads. Without a line in the table: done by staff, or by the resident if the event says so."""
    return LINES.get(kind, _PLAIN)


@dataclass(frozen=True, slots=True)
class Told:
    """One event, with who did it and the handler at that time."""

    recorded: Recorded
    event: Event
    line: Line
    doer: Doer
    handler: Words | None


def read(history: Iterable[Recorded]) -> Iterator[Told]:
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
            handler = Words.named(event.handler_zh, event.handler_en)
        yield Told(recorded, event, line_of(type(event)), _doer(recorded, event, opening, rating), handler)


def is_inside(event: Event) -> bool:
    """Whether only staff may see it."""
    return line_of(type(event)).inside or (isinstance(event, contract.CommentAdded) and not event.public)


def _doer(recorded: Recorded, event: Event, opening: str, rating: str) -> Doer:
    by = line_of(type(event)).by
    if recorded.cause == rating and isinstance(event, contract.CaseClosed):
        return Doer.RESIDENT  # a case that its resident calls solved is closed in the same write
    routed = recorded.cause == opening and isinstance(event, contract.CaseDispatched)
    if routed or by is Doer.SYSTEM or not recorded.cause.startswith("http:"):
        return Doer.SYSTEM
    if by is Doer.RESIDENT or isinstance(event, contract.ByResident):
        return Doer.RESIDENT if _by_resident(event) else Doer.STAFF
    return by


def _by_resident(event: Event) -> bool:
    """Whether the resident did what residents do, and nobody for them."""
    match event:
        case contract.CaseFiled():
            return event.channel == Channel.SELF
        case contract.CaseRated():
            return True  # nobody rates for somebody else
        case contract.ByResident():
            return event.by_resident
    return False
