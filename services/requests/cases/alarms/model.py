"""The rules of calls: who is called next about a case of danger, and which cases are one incident."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, assert_never

from services.chassis.domain.entity import Entity
from services.chassis.domain.values import Instant, id_from
from services.contracts.members.areas import Level, enclosing
from services.contracts.members.rosters import Shift
from services.contracts.requests.alarms import CaseCalled, CaseLinked, IncidentOpened, IncidentReported
from services.contracts.requests.cases import CaseAccepted, CaseDispatched
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN, RUNNING
from services.requests.rosters.model import OnCall

SAME = timedelta(minutes=30)
"""How long after the first report of a danger another one from the same community is the same."""
WITHOUT_PHONE = 0.5
"""The share of the time that somebody has who has no phone, and may not look into the inbox."""


class Incident(Entity[IncidentOpened | IncidentReported]):
    """One danger in one community, however many report it. One document, so that only one of them is the first."""

    entity_type: ClassVar[str] = "incident"

    case_id: str
    opened_at: Instant

    def apply(self, event: IncidentOpened | IncidentReported) -> None:
        """Fold an event into the state."""
        match event:
            case IncidentOpened():
                self.case_id, self.opened_at = event.case_id, event.opened_at
            case IncidentReported():
                pass
            case _:
                assert_never(event)


def incident_id(item: str, area: str) -> str:
    """The id of the incident of an item in the community around an area."""
    return id_from(Incident.entity_type, f"{item}:{enclosing(area, Level.COMMUNITY)}")


def report(incident: Incident, case_id: str, first: Case | None, filed_at: datetime) -> None:
    """Report a danger: of the same incident as the ``first`` case, as long as somebody sees to that and it is not long
    ago. Of two that are heard of in the wrong order, the later one says until when."""
    if first is None:
        incident.record(IncidentOpened(case_id=case_id, opened_at=filed_at))
    elif first.id != case_id and is_attended(first) and filed_at - incident.opened_at < SAME:
        incident.record(IncidentReported(case_id=case_id, first_id=first.id))
    elif first.id != case_id:
        incident.record(IncidentOpened(case_id=case_id, opened_at=max(filed_at, incident.opened_at)))


def is_attended(case: Case) -> bool:
    """Whether somebody has accepted a case of danger, is called about it, or answers for it at the top: others may
    wait for it."""
    return case.state in OPEN and (case.responded or case.call_at is not None or case.at_top)


def awaits(case: Case) -> bool:
    """Whether nobody was called about a case of danger yet, and nobody has accepted it."""
    return case.is_danger and case.calls == 0 and case.state in RUNNING and not case.responded


def is_calling(case: Case, now: datetime) -> bool:
    """Whether the next call is due."""
    return case.state in RUNNING and not case.responded and case.call_at is not None and case.call_at <= now


def call_next(case: Case, levels: Iterable[OnCall], now: datetime) -> None:
    """Call who is next: at the present level, or at the next one where somebody is on call.

    That nobody is on call at a level is a call as well, which those who supervise there hear. Who has no phone is
    called with the next one of the level; where there is none, the next level is called sooner.
    """
    for level in _from_here(case, levels):
        there = [shift for shift in level.shifts if shift.person_id != case.resident_id]
        if not there and level.place != case.call_place:
            case.record(CaseCalled(step=case.calls + 1, place=level.place, place_name=level.name, next_at=now))
        if _call_some(case, level, [shift for shift in there if shift.person_id not in case.called], now):
            return


def link(case: Case, first_id: str) -> None:
    """Let a case wait for the calls about another one; nothing happens where it does, or was called about."""
    if awaits(case) and not case.was_accepted and case.linked_to != first_id and case.id != first_id:
        case.record(CaseLinked(first_id=first_id))


def accept_with(case: Case, first: Case, now: datetime) -> None:
    """Accept a case that is linked to one that was accepted, for the same organisation."""
    if not awaits(case) or case.linked_to != first.id or not first.responded:
        return
    if first.handler_id and first.handler_name and first.tier and first.handler_id != case.handler_id:
        given = CaseDispatched(tier=first.tier, handler_id=first.handler_id, handler_name=first.handler_name)
        case.record(given)
    case.record(CaseAccepted(response_seconds=None if case.was_accepted else case.waited(now)))


def _from_here(case: Case, levels: Iterable[OnCall]) -> list[OnCall]:
    """The levels from the present one on, upwards."""
    return [level for level in levels if case.call_place is None or len(level.place) <= len(case.call_place)]


def _call_some(case: Case, level: OnCall, shifts: Sequence[Shift], now: datetime) -> bool:
    """Call the first of these, with those after it as long as none has a phone. Whether anybody was called."""
    whole = timedelta(hours=case.hours_to_accept)
    for shift in shifts:
        has_phone = shift.person_id in level.reachable
        case.record(
            CaseCalled(
                step=case.calls + 1,
                place=level.place,
                place_name=level.name,
                person_id=shift.person_id,
                backup=shift.backup,
                next_at=now + (whole if has_phone else whole * WITHOUT_PHONE),
            )
        )
        if has_phone:
            break
    return bool(shifts)
