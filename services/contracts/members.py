"""What members tells: areas, organisations, people, accounts and volunteer teams."""

from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel

from services.chassis.domain.events import Event
from services.chassis.domain.values import Instant, Private, Sealed, shaped

Code = Annotated[
    str,
    shaped(
        r"^[a-z0-9][a-z0-9:_-]{1,59}$",
        "2 到 60 个小写字母、数字、:、_ 或 -",
        "2 to 60 small letters, digits, :, _ or -",
    ),
]
"""The name by which its founder knows an organisation, a department or a team: one of a kind."""


class Level(StrEnum):
    """The five levels of places; an area's code is its path."""

    CITY = "city"
    COUNTY = "county"
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"
    GRID = "grid"


class OrganisationKind(StrEnum):
    """Who serves: a community's station, a street's centre, a department, those who supervise, the city's hotline."""

    STATION = "station"
    CENTRE = "centre"
    DEPARTMENT = "department"
    SUPERVISION = "supervision"
    HOTLINE = "hotline"


class TeamKind(StrEnum):
    """The five kinds of volunteer teams."""

    PARTY_MEMBER = "party_member"
    ELDERLY = "elderly"
    WOMEN = "women"
    HOUSEKEEPING = "housekeeping"
    PUBLIC_SAFETY = "public_safety"


class Role(StrEnum):
    """What somebody may do; the places and organisations it holds for stand beside it."""

    RESIDENT = "resident"
    OPERATOR = "operator"
    HANDLER = "handler"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class AreaAdded(Event):
    """An area came into being; its code is its id and says where it lies."""

    level: Level | str
    name: str
    name_en: str | None = None


class AreaRenamed(Event):
    """An area got another name."""

    name: str
    name_en: str | None = None


class AreaClosed(Event):
    """An area is no more; requests are not taken any longer in it, nor in what lies in it."""

    reason: str


AreaEvent = AreaAdded | AreaRenamed | AreaClosed


class AreaState(BaseModel):
    """What its events make of an area: the same for the service that owns it and for those that keep a copy."""

    level: Level | str
    name: str
    name_en: str | None = None
    open: bool = True

    def apply(self, event: AreaEvent) -> None:
        """Take an event into the state."""
        match event:
            case AreaAdded():
                self.level, self.name, self.name_en, self.open = event.level, event.name, event.name_en, True
            case AreaRenamed():
                self.name, self.name_en = event.name, event.name_en
            case AreaClosed():
                self.open = False
            case _:
                assert_never(event)


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


class PersonRegistered(Event):
    """A person became known: by a first sign-in, at a counter, on the hotline, or as staff."""

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: str | None = None


class ProfileChanged(Event):
    """A person's profile is this from now on."""

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: str | None = None


class AccountOpened(Event):
    """A person can sign in from now on, with these roles for these places and organisations."""

    person_id: str
    roles: list[Role | str]
    places: list[str]
    organisations: list[str]


class RolesGranted(Event):
    """An account's roles, places and organisations are these from now on."""

    person_id: str
    roles: list[Role | str]
    places: list[str]
    organisations: list[str]


class AccountClosed(Event):
    """Nobody signs in with an account any longer."""

    person_id: str


class SignInCodeIssued(Event):
    """A code to sign in with was made for a phone; it has to reach that phone before it expires.

    The mark of the code, by which a given one is compared, stays in the history.
    """

    person_id: str
    phone: Sealed
    code: Sealed
    expires_at: Instant
    mark: Annotated[str | None, Private] = None


class TeamFounded(Event):
    """A volunteer team was founded for a place; ``capacity`` is how many cases it takes at once."""

    kind: TeamKind | str
    name: str
    name_en: str | None = None
    area: str
    skills: list[str]
    capacity: int
    leader_id: str | None = None
    code: str | None = None


class TeamLeaderAppointed(Event):
    """Somebody leads a volunteer team from now on."""

    leader_id: str


class TeamMemberJoined(Event):
    """A person joined a volunteer team."""

    person_id: str


class TeamMemberLeft(Event):
    """A person left a volunteer team."""

    person_id: str


class TeamWentOnDuty(Event):
    """A volunteer team takes cases from now on."""


class TeamWentOffDuty(Event):
    """A volunteer team takes no more cases for now."""
