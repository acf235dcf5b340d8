"""The rules of duty rosters: a gap is told to those who fill it, ahead of time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.contracts.members.areas import LENGTHS, Level, path
from services.contracts.members.roles import Role
from services.contracts.members.rosters import RosterGapFound, RosterStarted, ShiftsAdded, ShiftsRemoved
from services.notify.audience.model import post
from services.notify.audience.queries import Address, Choices
from services.notify.rules.model import Blind, Occurrence, Subject, Tell
from services.notify.templates.model import Facts

_SOON = timedelta(hours=12)
"""A gap that begins earlier than that cannot wait for the end of quiet hours."""
_OPEN = "open"
"""The key, in the section ``gap-ends`` of the texts, of an end that nobody knows."""


@dataclass(frozen=True)
class Keepers:
    """Those who fill a roster: the dispatchers of its place, with the supervisors of a county or the city."""

    party = "keepers"
    staff = True

    def choices(self, what: Occurrence[Any]) -> Choices:
        """The posts of the place, then of those around it; at the top its administrators as well."""
        return [[Address("post", post(role, place)) for role in _roles(place)] for place in _up(what.event.area)]


def _up(area: str) -> tuple[str, ...]:
    return path(area)[::-1]


def _roles(place: str) -> tuple[Role, ...]:
    if len(place) == LENGTHS[Level.CITY]:
        return Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR
    return (Role.DISPATCHER, Role.SUPERVISOR) if len(place) == LENGTHS[Level.COUNTY] else (Role.DISPATCHER,)


def soon(what: Occurrence[Any]) -> bool:
    """It begins within hours."""
    return bool(what.event.start - what.at < _SOON)


def facts(what: Occurrence[Any], _: Blind) -> Facts:
    """Where, for which service system, and from when until when."""
    event: RosterGapFound = what.event
    return {"place": event.area_name, "system": event.system, "start": event.start, "end": event.end or _OPEN}


subject = Subject(
    name="rosters",
    parties=(Keepers(),),
    rules=(
        Tell(RosterGapFound, Keepers(), "roster-gap", when=soon, texted=True, urgent=True),
        Tell(RosterGapFound, Keepers(), "roster-gap", texted=True),
    ),
    silent={
        RosterStarted: "who starts it fills it",
        ShiftsAdded: "who enters them arranges it with those who are on call",
        ShiftsRemoved: "who removes them fills the gap; what stays open is reported",
    },
    facts=facts,
)
