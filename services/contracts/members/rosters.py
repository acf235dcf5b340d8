"""The events of duty rosters: who is on call, where, for which service system, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import assert_never

from pydantic import BaseModel, ConfigDict

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant, id_from
from services.chassis.domain.words import Words
from services.contracts.requests.catalogue import System

ROSTER = "roster"
"""The entity type of rosters, also of their copies: it begins their ids."""
KEPT = timedelta(days=7)
"""How long a roster has a shift that is over."""


class Shift(BaseModel):
    """From when until when somebody is on call, first or as the backup of who is; the end is outside."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Id
    account_id: Id
    person_id: Id
    start: Instant
    end: Instant
    backup: bool = False

    def holds(self, at: datetime) -> bool:
        """Whether it is on at an instant."""
        return self.start <= at < self.end


class RosterStarted(Event):
    """A place has a duty roster for a service system from now on."""

    area: Code
    system: System | str
    started_at: Instant


class ShiftsAdded(Event):
    """Shifts were added to a roster; what was over long before ``added_at`` drops out."""

    shifts: list[Shift]
    added_at: Instant


class ShiftsRemoved(Event):
    """Shifts were removed from a roster."""

    shift_ids: list[Id]
    removed_at: Instant


class RosterGapFound(Event):
    """Nobody is on call from ``start`` on: until ``end``, or until somebody adds a shift."""

    area: Code
    area_name: Words
    system: System | str
    start: Instant
    end: Instant | None = None


RosterEvent = RosterStarted | ShiftsAdded | ShiftsRemoved | RosterGapFound


class RosterState(BaseModel):
    """The state of a roster: the same for the service that owns it and for those that keep a copy."""

    area: str
    system: System | str
    shifts: list[Shift]
    """In the order of their starts."""

    def on_call(self, at: datetime) -> list[Shift]:
        """Who is on call at an instant, the first and then the backup."""
        return sorted((shift for shift in self.shifts if shift.holds(at)), key=lambda shift: shift.backup)

    def apply(self, event: RosterEvent) -> None:
        """Fold an event into the state."""
        match event:
            case RosterStarted():
                self.area, self.system, self.shifts = event.area, event.system, []
            case ShiftsAdded():
                self.shifts = in_order([*_lately(self.shifts, event.added_at), *event.shifts])
            case ShiftsRemoved():
                gone = {*event.shift_ids}
                self.shifts = [shift for shift in self.shifts if shift.id not in gone]
            case RosterGapFound():
                pass
            case _:
                assert_never(event)


def roster_id(area: str, system: str) -> str:
    """The id of the roster of a place for a service system: there is one."""
    return id_from(ROSTER, f"{area}:{system}")


def in_order(shifts: Iterable[Shift]) -> list[Shift]:
    """By their starts, the first before the backup."""
    return sorted(shifts, key=lambda shift: (shift.start, shift.backup))


def _lately(shifts: Iterable[Shift], at: datetime) -> list[Shift]:
    return [shift for shift in shifts if shift.end > at - KEPT]
