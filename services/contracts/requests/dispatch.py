"""What requests tells of the slots of volunteer teams."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Id


class SlotReserved(Event):
    """A volunteer team has room for a case that was given to it, and keeps it."""

    case_id: Id
    team_id: Id


class SlotRefused(Event):
    """A volunteer team has no room left for a case that was given to it: the case goes on to somebody else."""

    case_id: Id
    team_id: Id


class SlotFreed(Event):
    """A volunteer team has room again: a case left it."""

    case_id: Id
    team_id: Id
