"""The city's working times, of which there is one set; those of its files count until the first is set."""

from typing import Any, ClassVar, Self

from services.chassis.domain.entity import Entity
from services.chassis.domain.scope import ALL, Actor, Visible
from services.chassis.domain.values import Instant
from services.chassis.schedule.calendar import WorkingTimes
from services.contracts.requests.calendar import CalendarSet

ID = "calendar_city"


class Calendar(Entity[CalendarSet]):
    """When the city works. Its version is how often it was set."""

    entity_type: ClassVar[str] = "calendar"

    times: WorkingTimes
    set_at: Instant | None = None
    """None as the city was set up."""

    @classmethod
    def of_files(cls, times: WorkingTimes) -> Self:
        """As the city was set up."""
        return cls(id=ID, times=times)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may see it."""
        return ALL

    def apply(self, event: CalendarSet) -> None:
        """Fold an event into the state."""
        self.times, self.set_at = event.times, event.set_at

    def as_stored(self) -> dict[str, Any]:
        """The fields, with days and hours as texts: the database knows instants only."""
        return {"times": self.times.model_dump(mode="json"), "set_at": self.set_at}


def set_times(calendar: Calendar, asked: CalendarSet) -> None:
    """Set the working times; nothing happens where they are what they were."""
    if calendar.version == 0 or calendar.times != asked.times:
        calendar.record(asked)
