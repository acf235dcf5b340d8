"""The event of the city's working times."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Instant
from services.chassis.schedule.calendar import WorkingTimes


class CalendarSet(WorkingTimes, Event):
    """The city's working times were set; they count from ``set_at`` on, also for what is open."""

    set_at: Instant
