"""What requests tells of the slots of volunteer teams."""

from services.chassis.domain.events import Event


class SlotReserved(Event):
    """A volunteer team has room for a case that was given to it, and keeps it."""

    case_id: str
    team_id: str


class SlotRefused(Event):
    """A volunteer team has no room left for a case that was given to it: the case goes on to somebody else."""

    case_id: str
    team_id: str


class SlotFreed(Event):
    """A volunteer team has room again: a case left it."""

    case_id: str
    team_id: str
