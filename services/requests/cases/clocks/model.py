"""The rules of an open case's limits when the city's working times change, and of the term of its words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.schedule.calendar import WorkingCalendar
from services.contracts.requests.cases import LimitsMoved
from services.requests.cases.model import Case


def move_limits(case: Case, old: WorkingCalendar, new: WorkingCalendar, now: datetime) -> None:
    """Move the limits of an open case from the calendar by which they count to another one.

    As much working time as before is left until each. A limit that is over stays where it was; of a case that waits,
    what was over when it began to wait. Recorded also where nothing moves: it counts by the other one from now on.
    """
    if case.calendar_version is None:
        return
    since = case.paused_at or now

    def moved(mark: datetime) -> datetime:
        left = old.between(since, mark) if mark > since else timedelta(0)
        return new.add(since, left) if left else mark

    due_at = due_unpaused = moved(case.due_unpaused or case.due_at)
    if case.paused_at and case.paused_until:
        due_at = new.add(due_unpaused, max(new.between(case.paused_at, case.paused_until), timedelta(0)))
    case.record(
        LimitsMoved(
            respond_by=moved(case.respond_by),
            warn_at=moved(case.warn_at),
            due_at=due_at,
            was_due_at=case.due_at,
            due_unpaused=due_unpaused if case.paused_at else None,
            next_at=case.escalates_from and moved(case.escalates_from),
            calendar_version=new.version,
        )
    )


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the city keeps the words of a case after its end; for good where ``term`` is None."""

    term: timedelta | None

    @classmethod
    def of_days(cls, days: int) -> "Retention":
        """0 is for good."""
        return cls(timedelta(days=days) if days else None)

    def end(self, case: Case) -> datetime | None:
        """Until when the words of a case are kept; None while it is open, and where they are kept for good or gone."""
        if self.term is None or case.retained_since is None:
            return None
        return case.retained_since + self.term
