"""How each event of a case reads in its timeline: one table, and who did it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.chassis.domain.events import Event, Recorded, decode
from services.contracts import requests as told
from services.contracts.items import Words
from services.contracts.requests import Channel
from services.requests.cases.model import Case


class Doer(StrEnum):
    """Who did something: no names of people."""

    RESIDENT = "resident"
    HANDLER = "handler"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Line:
    """How one type of event reads: its name, who does it, its sealed words and the facts that are shown."""

    name: Words
    by: Doer
    words: str | None = None
    facts: tuple[str, ...] = ()
    inside: bool = False


def _line(zh: str, en: str, by: Doer, *facts: str, words: str | None = None) -> Line:
    return Line(Words(zh=zh, en=en), by, words, facts)


LINES: Mapping[type[Event], Line] = {
    told.CaseFiled: _line("提出诉求", "filed", Doer.RESIDENT),
    told.LimitsSet: _line("确定办理期限", "limits set", Doer.SYSTEM, "due_at"),
    told.CaseVerified: _line("已核实", "verified", Doer.STAFF),
    told.CaseDispatched: _line("派单", "dispatched", Doer.STAFF, "tier", "handler_zh", "handler_en", "forced"),
    told.CaseUnassigned: _line("等待人工派单", "waits for a dispatcher", Doer.SYSTEM),
    told.CaseAccepted: _line("接单", "accepted", Doer.HANDLER),
    told.CaseStarted: _line("开始办理", "work began", Doer.HANDLER),
    told.CasePaused: _line("暂停", "suspended", Doer.HANDLER, "until", words="reason"),
    told.CaseResumed: _line("恢复办理", "resumed", Doer.HANDLER, "due_at"),
    told.CaseReturned: _line("退单", "returned", Doer.HANDLER, "times", words="reason"),
    told.CaseResolved: _line("办结答复", "resolved", Doer.HANDLER, "outcome", words="answer"),
    told.CaseCalledBack: _line("回访", "called back", Doer.STAFF, "reached", "solved", "satisfied"),
    told.CaseRated: _line("评价", "rated", Doer.RESIDENT, "score", "solved", words="remark"),
    told.CaseReopened: _line("要求重新办理", "reopened", Doer.RESIDENT, "times", words="reason"),
    told.CaseClosed: _line("归档", "closed", Doer.STAFF, "reason"),
    told.CaseCancelled: _line("撤回", "withdrawn", Doer.RESIDENT, words="reason"),
    told.CaseRejected: _line("不予受理", "rejected", Doer.STAFF, "reason", words="answer"),
    told.CaseUrged: _line("催办", "urged", Doer.RESIDENT, "times"),
    told.CommentAdded: _line("留言", "comment", Doer.STAFF, words="text"),
    told.CaseWarned: Line(Words(zh="临近期限", en="due soon"), Doer.SYSTEM, facts=("due_at",), inside=True),
    told.CaseOverdue: _line("超过期限", "overdue", Doer.SYSTEM, "due_at"),
    told.CaseEscalated: _line("升级督办", "escalated", Doer.SYSTEM, "level", "owner_place", "because"),
}
"""What everybody who sees the case sees of each event; ``inside`` ones are for the city's own people."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event with who did it, and the body that had the case then."""

    recorded: Recorded
    event: Event
    line: Line
    doer: Doer
    handler: Words | None


def read(history: Iterable[Recorded]) -> Iterator[Told]:
    """A history as a timeline, oldest first; the doer of each event is told from what went before."""
    handler: Words | None = None
    opening = rating = ""
    for recorded in history:
        event = decode(Case.events, recorded)
        if isinstance(event, told.CaseFiled | told.CaseReopened):
            opening = recorded.cause
        if isinstance(event, told.CaseRated):
            rating = recorded.cause
        if isinstance(event, told.CaseDispatched):
            handler = Words(zh=event.handler_zh, en=event.handler_en or event.handler_zh)
        yield Told(recorded, event, LINES[type(event)], _doer(recorded, event, opening, rating), handler)


def is_inside(event: Event) -> bool:
    """Whether only the city's own people see it."""
    return LINES[type(event)].inside or (isinstance(event, told.CommentAdded) and not event.public)


def _doer(recorded: Recorded, event: Event, opening: str, rating: str) -> Doer:
    by = LINES[type(event)].by
    if recorded.cause == rating and isinstance(event, told.CaseClosed):
        return Doer.RESIDENT  # a matter that its resident calls settled is closed in the same write
    routed = recorded.cause == opening and isinstance(event, told.CaseDispatched)
    if routed or by is Doer.SYSTEM or not recorded.cause.startswith("http:"):
        return Doer.SYSTEM
    if by is Doer.RESIDENT or isinstance(event, told.CommentAdded):
        return Doer.RESIDENT if _by_resident(event) else Doer.STAFF
    return by


def _by_resident(event: Event) -> bool:
    """Whether the resident did what residents do, and nobody for them."""
    match event:
        case told.CaseFiled():
            return event.channel == Channel.SELF
        case told.CaseRated():
            return True  # nobody rates for somebody else
        case told.CaseReopened() | told.CaseCancelled() | told.CaseUrged() | told.CommentAdded():
            return event.by_resident
    return False
