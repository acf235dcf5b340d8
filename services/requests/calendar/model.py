"""The city's working times, of which there is one set; those of its files count until the first is set."""

from typing import Any, ClassVar, Self

from services.chassis.domain.entity import Entity
from services.chassis.domain.scope import ALL, Actor, Visible
from services.chassis.domain.values import Instant
from services.chassis.schedule.calendar import WorkingTimes
from services.contracts.requests.calendar import CalendarSet

ID = "calendar_city"


class Calendar(WorkingTimes, Entity[CalendarSet]):
    """When the city works. Its version is how often it was set."""

    entity_type: ClassVar[str] = "calendar"

    set_at: Instant | None = None
    """When it was set; None as the city was set up."""

    @classmethod
    def of_files(cls, times: WorkingTimes) -> Self:
        """As the city was set up."""
        return cls.model_validate(times.model_dump() | {"id": ID})

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may see it."""
        return ALL

    def apply(self, event: CalendarSet) -> None:
        """Fold an event into the state."""
        self.source, self.set_at = event.source, event.set_at
        self.working_weekdays, self.working_hours = event.working_weekdays, event.working_hours
        self.covered_from, self.covered_until = event.covered_from, event.covered_until
        self.holidays, self.working_days = event.holidays, event.working_days

    def as_stored(self) -> dict[str, Any]:
        """The fields with days and hours as texts: the database knows instants only."""
        return self.model_dump(mode="json", exclude={"id", "version", "set_at"}) | {"set_at": self.set_at}

    @property
    def times(self) -> WorkingTimes:
        """What the city works."""
        return WorkingTimes.model_validate(self.model_dump(exclude={"id", "version", "set_at"}))


def set_times(calendar: Calendar, asked: CalendarSet) -> None:
    """Set the working times; nothing happens where they are what they were."""
    if calendar.version == 0 or calendar.times.model_dump() != asked.model_dump(exclude={"set_at"}):
        calendar.record(asked)
