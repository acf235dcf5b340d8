"""How each event of a case reads in its timeline: one table, and who did it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.chassis.domain.events import Event, Recorded, decode
from services.contracts.requests import cases as contract
from services.contracts.requests.cases import Channel
from services.contracts.requests.catalogue import Words
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
    contract.CaseFiled: _line("提出诉求", "filed", Doer.RESIDENT),
    contract.LimitsSet: _line("确定办理期限", "limits set", Doer.SYSTEM, "due_at"),
    contract.CaseVerified: _line("已核实", "verified", Doer.STAFF),
    contract.CaseDispatched: _line("派单", "dispatched", Doer.STAFF, "tier", "handler_zh", "handler_en", "forced"),
    contract.CaseUnassigned: _line("等待人工派单", "waits for a dispatcher", Doer.SYSTEM),
    contract.CaseAccepted: _line("接单", "accepted", Doer.HANDLER),
    contract.CaseStarted: _line("开始办理", "work began", Doer.HANDLER),
    contract.CasePaused: _line("暂停", "suspended", Doer.HANDLER, "until", words="reason"),
    contract.CaseResumed: _line("恢复办理", "resumed", Doer.HANDLER, "due_at"),
    contract.CaseReturned: _line("退单", "returned", Doer.HANDLER, "times", words="reason"),
    contract.CaseResolved: _line("办结答复", "resolved", Doer.HANDLER, "outcome", words="answer"),
    contract.CaseCalledBack: _line("回访", "called back", Doer.STAFF, "reached", "solved", "satisfied"),
    contract.CaseRated: _line("评价", "rated", Doer.RESIDENT, "score", "solved", words="remark"),
    contract.CaseReopened: _line("要求重新办理", "reopened", Doer.RESIDENT, "times", words="reason"),
    contract.CaseClosed: _line("归档", "closed", Doer.STAFF, "reason"),
    contract.CaseCancelled: _line("撤回", "withdrawn", Doer.RESIDENT, words="reason"),
    contract.CaseRejected: _line("不予受理", "rejected", Doer.STAFF, "reason", words="answer"),
    contract.CaseForgotten: _line("内容已删除", "words forgotten", Doer.STAFF, "because"),
    contract.CaseUrged: _line("催办", "urged", Doer.RESIDENT, "times"),
    contract.CommentAdded: _line("留言", "comment", Doer.STAFF, words="text"),
    contract.CaseWarned: Line(Words(zh="临近期限", en="due soon"), Doer.SYSTEM, facts=("due_at",), inside=True),
    contract.CaseOverdue: _line("超过期限", "overdue", Doer.SYSTEM, "due_at"),
    contract.CaseEscalated: _line("升级督办", "escalated", Doer.SYSTEM, "level", "owner_place", "because"),
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
        if isinstance(event, contract.CaseFiled | contract.CaseReopened):
            opening = recorded.cause
        if isinstance(event, contract.CaseRated):
            rating = recorded.cause
        if isinstance(event, contract.CaseDispatched):
            handler = Words(zh=event.handler_zh, en=event.handler_en or event.handler_zh)
        yield Told(recorded, event, LINES[type(event)], _doer(recorded, event, opening, rating), handler)


def is_inside(event: Event) -> bool:
    """Whether only the city's own people see it."""
    return LINES[type(event)].inside or (isinstance(event, contract.CommentAdded) and not event.public)


def _doer(recorded: Recorded, event: Event, opening: str, rating: str) -> Doer:
    by = LINES[type(event)].by
    if recorded.cause == rating and isinstance(event, contract.CaseClosed):
        return Doer.RESIDENT  # a matter that its resident calls settled is closed in the same write
    routed = recorded.cause == opening and isinstance(event, contract.CaseDispatched)
    if routed or by is Doer.SYSTEM or not recorded.cause.startswith("http:"):
        return Doer.SYSTEM
    if by is Doer.RESIDENT or isinstance(event, contract.CommentAdded):
        return Doer.RESIDENT if _by_resident(event) else Doer.STAFF
    return by


def _by_resident(event: Event) -> bool:
    """Whether the resident did what residents do, and nobody for them."""
    match event:
        case contract.CaseFiled():
            return event.channel == Channel.SELF
        case contract.CaseRated():
            return True  # nobody rates for somebody else
        case contract.CaseReopened() | contract.CaseCancelled() | contract.CaseUrged() | contract.CommentAdded():
            return event.by_resident
    return False
