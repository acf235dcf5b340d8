"""The event of the city's working times."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Instant
from services.chassis.schedule.calendar import WorkingTimes


class CalendarSet(Event):
    """The city's working times were set, all of them."""

    times: WorkingTimes
    set_at: Instant
