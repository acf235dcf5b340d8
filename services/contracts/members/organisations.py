"""The events of organisations."""

from enum import StrEnum

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id
from services.chassis.domain.words import Words


class OrganisationKind(StrEnum):
    """The kinds of organisations: a community's station, a street's centre, a department, a supervising office, the
    hotline."""

    STATION = "station"
    CENTRE = "centre"
    DEPARTMENT = "department"
    SUPERVISION = "supervision"
    HOTLINE = "hotline"


class OrganisationFounded(Event):
    """An organisation that serves a place was founded; ``department`` is the department's code, if it is one of a
    county.

    ``code`` is the founder's own unique name for it.
    """

    kind: OrganisationKind | str
    name: Words
    area: Code
    above: Id | None = None
    department: Code | None = None
    code: Code | None = None


class LeaderAppointed(Event):
    """A person became the leader of an organisation."""

    leader_id: Id
