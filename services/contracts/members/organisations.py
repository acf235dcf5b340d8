"""What members tells of organisations."""

from enum import StrEnum

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, PublicText


class OrganisationKind(StrEnum):
    """Who serves: a community's station, a street's centre, a department, those who supervise, the city's hotline."""

    STATION = "station"
    CENTRE = "centre"
    DEPARTMENT = "department"
    SUPERVISION = "supervision"
    HOTLINE = "hotline"


class OrganisationFounded(Event):
    """An organisation that serves a place was founded; ``department`` is its code where it is a county's department.

    ``code`` is the name that its founder knows it by, one of a kind.
    """

    kind: OrganisationKind | str
    name: PublicText
    name_en: PublicText | None = None
    area: Code
    above: Id | None = None
    department: Code | None = None
    code: Code | None = None


class LeaderAppointed(Event):
    """Somebody leads an organisation from now on."""

    leader_id: Id
