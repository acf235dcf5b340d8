"""Of a case of danger: within which time it is accepted, who was called so far, and when the next one is."""

from datetime import datetime, timedelta
from typing import assert_never

from pydantic import Field

from services.chassis.domain.values import Instant
from services.contracts.requests.alarms import AlarmEvent, CaseCalled, CaseLinked
from services.contracts.requests.case_parts import Filing

CALLED_LATEST = timedelta(seconds=20)
"""How long after filing the timer calls somebody, where no reaction did: it may be parked, or Kafka away."""


class Danger(Filing):
    """A case, as far as somebody may be in danger; of other cases it stays empty."""

    calls: int = 0
    """How many calls there were since it was filed, reopened, or returned by who had accepted it."""
    called: list[str] = Field([])
    """The people who were called."""
    call_place: str | None = None
    """The place up to which calls have come."""
    call_at: Instant | None = None
    """When the next call is due, unless somebody accepts it before; None where it is over, or is another case's."""
    linked_to: str | None = None
    """The case about which somebody is called: the first of the same danger."""

    @property
    def is_danger(self) -> bool:
        """Whether somebody is in danger: its limits run on the clock, and who is on call is called."""
        return self.accept_within_minutes is not None

    @property
    def hours_to_accept(self) -> float:
        """How long a handler has to accept it: hours on the clock where somebody is in danger, else working hours."""
        minutes = self.accept_within_minutes
        return self.first_response_hours if minutes is None else minutes / 60

    def expect_call(self, at: datetime) -> None:
        """Calls begin: it is filed, reopened, or returned after it was accepted."""
        self.calls, self.called, self.call_place, self.linked_to = 0, [], None, None
        self.call_at = at + CALLED_LATEST if self.is_danger else None

    def take_alarm(self, event: AlarmEvent) -> None:
        """Fold an event of these into the state."""
        match event:
            case CaseCalled():
                self.calls, self.call_place, self.call_at = event.step, event.place, event.next_at
                self.called = [*self.called, event.person_id] if event.person_id else self.called
                self.linked_to = None
            case CaseLinked():
                self.linked_to, self.call_at = event.first_id, None
            case _:
                assert_never(event)
