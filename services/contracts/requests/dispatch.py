"""The events of the slots of volunteer teams."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Id


class SlotReserved(Event):
    """A volunteer team reserved a slot for a case that was given to it, by the event of this version of the case."""

    case_id: Id
    team_id: Id
    case_version: int


class SlotRefused(Event):
    """A volunteer team has no free slot for a case that was given to it: the case goes to another handler."""

    case_id: Id
    team_id: Id


class SlotFreed(Event):
    """A volunteer team freed the slot of a case."""

    case_id: Id
    team_id: Id
