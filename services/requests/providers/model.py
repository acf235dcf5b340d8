"""Copies of areas, organisations and teams, and what follows from an area's code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, assert_never

from pydantic import Field

from services.chassis.domain.entity import Copy, Index
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import Actor
from services.chassis.domain.words import Words
from services.contracts.members.areas import (
    LENGTHS,
    AreaAdded,
    AreaEvent,
    AreaState,
    Level,
    Located,
    enclosing,
    include_a_city,
    path,
)
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded, OrganisationKind
from services.contracts.members.teams import (
    TEAM,
    TeamFounded,
    TeamKind,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
    members_after,
)
from services.contracts.requests.catalogue import Tier


class AreaUnknown(Refusal):
    kind = Kind.INVALID


class AreaNoLonger(Refusal):
    kind = Kind.INVALID

    @classmethod
    def code(cls) -> str:
        """The code in the API: an event of members has taken the natural class name."""
        return "area-closed"


class AreaReplaced(Refusal):
    kind = Kind.INVALID


class PositionElsewhere(Refusal):
    kind = Kind.INVALID


class AreaTooWide(Refusal):
    kind = Kind.INVALID


class CitywideOnly(Refusal):
    kind = Kind.FORBIDDEN


class AreaCopy(AreaState, Copy[AreaEvent]):
    """An area of the city."""

    entity_type: ClassVar[str] = "area"
    creates = (AreaAdded,)

    def places(self) -> tuple[str, ...]:
        """Its own code and those above it."""
        return path(self.id)


TIER_OF: Mapping[str, Tier] = {
    OrganisationKind.STATION: Tier.STATION,
    OrganisationKind.CENTRE: Tier.CENTRE,
    OrganisationKind.DEPARTMENT: Tier.COUNTY,
    OrganisationKind.SUPERVISION: Tier.SUPERVISION,
}
"""As which kind of handler an organisation has cases; a hotline has none."""

OrganisationEvent = OrganisationFounded | LeaderAppointed


class Organisation(Located, Copy[OrganisationEvent]):
    """A station, a centre, a department or a supervising office."""

    entity_type: ClassVar[str] = "organisation"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("area", "department", "id")),)
    creates = (OrganisationFounded,)

    kind: OrganisationKind | str
    name: Words
    above: str | None = None
    department: str | None = None
    leader_id: str | None = None

    @property
    def tier(self) -> Tier | None:
        """As which kind of handler it has cases."""
        return TIER_OF.get(self.kind)

    def apply(self, event: OrganisationEvent) -> None:
        """Fold an event into the copy."""
        match event:
            case OrganisationFounded():
                self.kind, self.area, self.name = event.kind, event.area, event.name
                self.above, self.department = event.above, event.department
            case LeaderAppointed():
                self.leader_id = event.leader_id
            case _:
                assert_never(event)


TeamEvent = TeamFounded | TeamLeaderAppointed | TeamMemberJoined | TeamMemberLeft | TeamWentOnDuty | TeamWentOffDuty


class Team(Located, Copy[TeamEvent]):
    """A volunteer team; ``capacity`` is how many cases it takes at once."""

    entity_type: ClassVar[str] = TEAM
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(("under", "on_duty", "id")),
        Index(("area", "on_duty", "id")),
    )
    creates = (TeamFounded,)

    kind: TeamKind | str
    name: Words
    skills: list[str]
    capacity: int
    on_duty: bool = False
    leader_id: str | None = None
    members: list[str] = Field([])

    def apply(self, event: TeamEvent) -> None:
        """Fold an event into the copy."""
        match event:
            case TeamFounded():
                self.kind, self.area, self.name = event.kind, event.area, event.name
                self.skills, self.capacity, self.leader_id = event.skills, event.capacity, event.leader_id
            case TeamLeaderAppointed():
                self.leader_id = event.leader_id
            case TeamWentOnDuty() | TeamWentOffDuty():
                self.on_duty = isinstance(event, TeamWentOnDuty)
            case TeamMemberJoined() | TeamMemberLeft():
                self.members = members_after(self.members, event)
            case _:
                assert_never(event)

    def is_called(self, actor: Actor) -> bool:
        """Whether somebody is called with this team: its leader, its members, and who works for it."""
        return actor.person in {self.leader_id, *self.members} - {None} or self.id in actor.organisations

    def fits(self, kind: str | None, skill: str | None) -> bool:
        """Whether it is of this kind and has this skill, if they are given."""
        return (kind is None or self.kind == kind) and (skill is None or skill in self.skills)


def expect_citywide(actor: Actor) -> None:
    """Refuse an administrator of only a part of the city, where something is the same for all of it: CitywideOnly."""
    if not include_a_city(actor.places):
        raise CitywideOnly


def expect_within(known: Iterable[AreaCopy], latitude: float, longitude: float) -> None:
    """Refuse a position outside the box of one of the areas of a path, such as its county: PositionElsewhere."""
    for place in known:
        if place.bounds is not None and not place.bounds.include(latitude, longitude):
            raise PositionElsewhere(place=place.name)


@dataclass(frozen=True, slots=True)
class EscalationLevel:
    """One level of the path by which a case escalates: a place, and who answers for it (None: nobody is known)."""

    place: str
    office: Organisation | None


def fileable(code: str, known: Iterable[AreaCopy]) -> AreaCopy:
    """The area of this code, among the known areas of its path; refuses an unknown or too large one.

    An area inside a closed area counts as closed: nobody serves the communities of a closed sub-district.
    """
    places = {place.id: place for place in known}
    if code not in places:
        raise AreaUnknown(area=code)
    for place in places.values():
        if not place.open:
            raise (
                AreaReplaced(area=place.id, successor=place.successor)
                if place.successor
                else AreaNoLonger(area=place.id)
            )
    if places[code].level not in (Level.COMMUNITY, Level.GRID):
        raise AreaTooWide(area=code)
    return places[code]


def escalation_path(
    area: str, chain: Iterable[Organisation], known: Iterable[Organisation]
) -> tuple[EscalationLevel, ...]:
    """The levels above a community: its sub-district's centre, its county's and its city's supervision.

    ``chain`` are the organisations above the case's handler; they come first. ``known`` are those of the areas, which
    fill the levels that the chain lacks.
    """
    offices = (*chain, *known)
    return tuple(
        EscalationLevel(enclosing(area, level), _office(offices, level, kinds)) for level, kinds in _ANSWERS.items()
    )


def taking(area: str, own: Iterable[Organisation], path_up: Iterable[EscalationLevel]) -> Organisation | None:
    """The organisation that gets a case when somebody on call accepts it, who works for ``own``.

    The nearest of them that serves its place and has cases, else the nearest office on the escalation path that does.
    """
    serving = [office for office in own if office.tier and office.area in path(area) and not office.gone]
    above = [level.office for level in path_up if level.office and level.office.tier]
    return next(iter([*sorted(serving, key=lambda office: -len(office.area)), *above]), None)


_ANSWERS: Mapping[Level, tuple[OrganisationKind, ...]] = {
    Level.SUB_DISTRICT: (OrganisationKind.CENTRE,),
    Level.COUNTY: (OrganisationKind.SUPERVISION,),
    Level.CITY: (OrganisationKind.SUPERVISION, OrganisationKind.HOTLINE),
}
"""Which kind of organisation answers for a level; the first that exists. In many cities the hotline's centre
supervises."""


def _office(offices: Sequence[Organisation], level: Level, kinds: Iterable[OrganisationKind]) -> Organisation | None:
    there = [office for office in offices if len(office.area) == LENGTHS[level] and not office.gone]
    return next((office for kind in kinds for office in there if office.kind == kind), None)
