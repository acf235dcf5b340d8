"""What members tells of organisations."""

from enum import StrEnum

from services.chassis.domain.events import Event


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
    name: str
    name_en: str | None = None
    area: str
    above: str | None = None
    department: str | None = None
    code: str | None = None


class LeaderAppointed(Event):
    """Somebody leads an organisation from now on."""

    leader_id: str
