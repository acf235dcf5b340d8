"""The rules of time, over cases: limits, pauses, returns, and who answers for an unresolved case."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Sealed
from services.chassis.schedule.calendar import WorkingCalendar
from services.contracts.requests.cases import (
    MOST_RETURNS,
    CaseClosed,
    CaseEscalated,
    CaseOverdue,
    CasePaused,
    CaseResumed,
    CaseReturned,
    CaseUrged,
    CaseWarned,
    CloseReason,
    EscalationCause,
    LimitsSet,
    PauseCause,
)
from services.contracts.requests.catalogue import Tier
from services.requests.cases.alarms.model import call_next, is_calling
from services.requests.cases.model import Case
from services.requests.cases.states.model import DONE, RUNNING, State
from services.requests.providers.model import EscalationLevel
from services.requests.rosters.model import OnCall

OnCalls = Sequence[OnCall]
"""Who is on call at each level, nearest first."""
WARN_AFTER = 0.8
"""The share of a case's time after which its handler is warned."""
ESCALATION_INTERVAL: Mapping[int, float] = {1: 8.0, 2: 16.0}
"""Working hours that a level has before the case escalates to the next."""
_INTERVAL_ABOVE = 16.0
_COUNTY = 1
_FLOOR: Mapping[str | None, int] = {Tier.CENTRE: 1, Tier.COUNTY: 1, Tier.SUPERVISION: 1}
"""The lowest level above the handlers of a tier: level 0 is the sub-district's centre."""


class PauseUnfit(Refusal):
    kind = Kind.INVALID


def set_limits(case: Case, calendar: WorkingCalendar, start: datetime) -> None:
    """Set all limits, on working time from ``start``."""
    hours = case.resolution_hours
    case.record(
        LimitsSet(
            respond_by=calendar.add(start, min(case.hours_to_accept, hours)),
            warn_at=calendar.add(start, hours * WARN_AFTER),
            due_at=calendar.add(start, hours),
            calendar_version=calendar.version,
        )
    )


def pause_end(case: Case, calendar: WorkingCalendar, now: datetime, until: datetime | None) -> datetime:
    """The end of a pause; PauseUnfit if it is in the past, or later than the case may still be paused."""
    latest = calendar.add(now, case.pausable_hours)
    if until is not None and not now < until <= latest:
        raise PauseUnfit(latest=latest.astimezone(calendar.zone).isoformat(timespec="minutes"))
    return until or latest


def pause(
    case: Case, because: PauseCause, reason: Sealed, calendar: WorkingCalendar, now: datetime, until: datetime
) -> None:
    """Pause the clock. Meanwhile the case counts as due when it is if the pause lasts until its end."""
    due_at = calendar.add(case.due_at, max(calendar.between(now, until), timedelta(0)))
    case.record(
        CasePaused(calendar=calendar.version, because=because, reason=reason, paused_at=now, until=until, due_at=due_at)
    )


def resume(case: Case, calendar: WorkingCalendar, now: datetime) -> None:
    """Resume the clock; all limits move by the working time of the pause, which ended at its end at the latest."""
    # The timer may be late, after an outage: the case is not owed that time. A machine with a slow clock may resume
    # before the pause began: then the pause took no time.
    paused = max(calendar.between(case.paused_at or now, min(now, case.paused_until or now)), timedelta(0))
    case.record(
        CaseResumed(
            respond_by=calendar.add(case.respond_by, paused),
            warn_at=calendar.add(case.warn_at, paused),
            due_at=calendar.add(case.due_unpaused or case.due_at, paused),
            next_at=calendar.add(case.escalates_from, paused) if case.escalates_from else None,
            paused_hours=paused / timedelta(hours=1),
        )
    )


def send_back(
    case: Case, reason: Sealed, levels: Sequence[EscalationLevel], calendar: WorkingCalendar, now: datetime
) -> None:
    """Return a case to the dispatcher; the second time, to the supervisor."""
    again_by = case.new_respond_by(calendar, now)
    case.record(CaseReturned(reason=reason, times=case.returns + 1, respond_by=again_by))
    if case.returns >= MOST_RETURNS and _height(case.owner_place, levels) < _COUNTY:
        _escalate_to(case, levels[_COUNTY], levels, calendar, now, EscalationCause.RETURNED)


def urge(case: Case, now: datetime, *, by_resident: bool) -> None:
    """Count that the case was urged, by the resident or on their behalf."""
    case.record(CaseUrged(times=case.urged + 1, urged_at=now, by_resident=by_resident))


def is_escalating(case: Case, now: datetime) -> bool:
    """Whether a case is due to escalate, or to be called about: that may have nobody left to call."""
    return is_calling(case, now) or _is_late(case, now)


def _is_late(case: Case, now: datetime) -> bool:
    return case.state in RUNNING and case.escalates_at is not None and case.escalates_at <= now


def tick(
    case: Case, levels: Sequence[EscalationLevel], calendar: WorkingCalendar, now: datetime, on_call: OnCalls = ()
) -> None:
    """Do what is due: end a pause, close a resolved case, warn, mark as overdue, call the next, escalate one level."""
    if case.next_tick_at is None or case.next_tick_at > now:
        return
    if case.state is State.SUSPENDED:
        resume(case, calendar, now)
    elif case.state in DONE:
        case.record(CaseClosed(reason=case.outcome or CloseReason.NO_ACTION, ended_at=now))
    else:
        _run(case, levels, calendar, now, on_call)


def _run(
    case: Case, levels: Sequence[EscalationLevel], calendar: WorkingCalendar, now: datetime, on_call: OnCalls
) -> None:
    escalating = _is_late(case, now)
    if not case.overdue and case.due_at <= now:
        case.record(CaseOverdue(due_at=case.due_at))
    elif not case.warned and case.warn_at <= now:
        case.record(CaseWarned(due_at=case.due_at))
    if is_calling(case, now):
        call_next(case, on_call, now)
    if is_calling(case, now):  # nobody is left to be called
        _escalate_to(case, levels[-1], levels, calendar, now, EscalationCause.UNACCEPTED)
    if escalating:
        _escalate_to(case, _next_level(case, levels), levels, calendar, now, _because(case))


def _next_level(case: Case, levels: Sequence[EscalationLevel]) -> EscalationLevel:
    """The lowest level above all who have or own the case; the top if there is none."""
    holder = next(
        (level.place for level in levels if level.office and level.office.id == case.handler_id),
        None,
    )
    lowest = max(_height(holder, levels) + 1, _FLOOR.get(case.tier, 0), _height(case.owner_place, levels) + 1)
    return levels[min(lowest, len(levels) - 1)]


def _escalate_to(
    case: Case,
    target: EscalationLevel,
    levels: Sequence[EscalationLevel],
    calendar: WorkingCalendar,
    now: datetime,
    because: EscalationCause,
) -> None:
    level = case.level + 1
    top = target is levels[-1]
    case.record(
        CaseEscalated(
            level=level,
            owner_id=target.office.id if target.office else None,
            owner_place=target.place,
            because=because,
            next_at=None if top else calendar.add(now, _rest(case, level)),
        )
    )


def _rest(case: Case, level: int) -> float:
    """For how many hours a level has the case: as long as a handler where somebody is in danger."""
    return case.hours_to_accept if case.is_danger else ESCALATION_INTERVAL.get(level, _INTERVAL_ABOVE)


def _height(place: str | None, levels: Sequence[EscalationLevel]) -> int:
    return next((height for height, level in enumerate(levels) if level.place == place), -1)


def _because(case: Case) -> EscalationCause:
    if case.overdue:
        return EscalationCause.OVERDUE
    return EscalationCause.UNASSIGNED if case.handler_id is None else EscalationCause.UNACCEPTED
