"""A duty roster of a place, and who is on call at each level above a case."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.chassis.domain.entity import Copy
from services.chassis.domain.words import Words
from services.contracts.members.areas import LENGTHS, Level, Located, path
from services.contracts.members.rosters import ROSTER, RosterEvent, RosterStarted, RosterState, Shift, roster_id


class Roster(Located, RosterState, Copy[RosterEvent]):
    """Who is on call for a service system in a place."""

    entity_type: ClassVar[str] = ROSTER
    creates = (RosterStarted,)

    def apply(self, event: RosterEvent) -> None:
        """Fold an event into the copy."""
        RosterState.apply(self, event)


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who is on call at one place, the first and then the backup; nobody where it is empty."""

    place: str
    shifts: tuple[Shift, ...] = ()
    reachable: frozenset[str] = frozenset()
    """The people of these who have a phone."""
    name: Words | None = None
    """What the place is called, where that is known."""


def roster_ids(area: str, system: str) -> Mapping[str, str]:
    """The id of the roster of each place from an area up to the city, nearest first, if there is one."""
    return {place: roster_id(place, system) for place in reversed(path(area))}


def levels(area: str, system: str, rosters: Iterable[Roster], at: datetime) -> Iterator[OnCall]:
    """Who is on call at each place, nearest first.

    A sub-district, a county and the city have somebody on call in any case; a community or grid only if it has a
    roster.
    """
    known = {roster.id: roster for roster in rosters}
    for place, id in roster_ids(area, system).items():
        if id in known:
            yield OnCall(place, tuple(known[id].on_call(at)))
        elif len(place) <= LENGTHS[Level.SUB_DISTRICT]:
            yield OnCall(place)


def people(levels: Iterable[OnCall]) -> Collection[str]:
    """Everybody who is on call at one of them."""
    return {shift.person_id for level in levels for shift in level.shifts}
