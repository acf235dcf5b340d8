"""An organisation: the place that it serves, the organisation above it, and its leader."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Entity, Terms
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, Actor, Visible
from services.chassis.domain.words import Words
from services.contracts.members.areas import Located, path
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded, OrganisationKind

OrganisationEvent = OrganisationFounded | LeaderAppointed

_CITY, _COUNTY, _SUB_DISTRICT, _COMMUNITY = 1, 2, 3, 4
LEVELS = {
    OrganisationKind.STATION: (_COMMUNITY,),
    OrganisationKind.CENTRE: (_SUB_DISTRICT,),
    OrganisationKind.DEPARTMENT: (_CITY, _COUNTY),
    OrganisationKind.SUPERVISION: (_CITY, _COUNTY),
    OrganisationKind.HOTLINE: (_CITY, _COUNTY),
}
"""The depth of the area of each kind: 1 is the city, 4 a community."""


class AreaUnfit(Refusal):
    kind = Kind.INVALID


class DepartmentUnfit(Refusal):
    kind = Kind.INVALID


class AboveUnfit(Refusal):
    kind = Kind.INVALID


class Organisation(Located, Entity[OrganisationEvent]):
    """Who serves a place."""

    entity_type: ClassVar[str] = "organisation"
    terms: ClassVar[Terms] = Terms(text=("name",))

    kind: OrganisationKind | str
    name: Words
    above: str | None = None
    department: str | None = None
    code: str | None = None
    leader_id: str | None = None

    def apply(self, event: OrganisationEvent) -> None:
        """Fold an event into the state."""
        match event:
            case OrganisationFounded():
                self.kind, self.name, self.area = event.kind, event.name, event.area
                self.above, self.department, self.code = event.above, event.department, event.code
            case LeaderAppointed():
                self.leader_id = event.leader_id
            case _:
                assert_never(event)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may know who serves them."""
        return ALL


def found(organisation: Organisation, founded: OrganisationFounded, above: Organisation | None) -> None:
    """Found an organisation.

    AreaUnfit if the area has the wrong level, DepartmentUnfit, AboveUnfit if the one above is not in charge there.
    """
    if len(path(founded.area)) not in LEVELS[OrganisationKind(founded.kind)]:
        raise AreaUnfit(kind=founded.kind, area=founded.area)
    if (founded.kind == OrganisationKind.DEPARTMENT) != (founded.department is not None):
        raise DepartmentUnfit
    if founded.above is not None and (above is None or above.area not in path(founded.area)):
        raise AboveUnfit(above=founded.above, area=founded.area)
    organisation.record(founded)


def appoint(organisation: Organisation, leader_id: str) -> None:
    """Appoint a leader."""
    if organisation.leader_id != leader_id:
        organisation.record(LeaderAppointed(leader_id=leader_id))
