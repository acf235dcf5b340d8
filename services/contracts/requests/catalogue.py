"""The events of the catalogue: its service items and their parts."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, PublicText
from services.chassis.domain.words import Words

DANGER = "danger"
"""The question of a form whose answer says whether somebody is in danger."""


class Mode(StrEnum):
    """Whether a service costs something; a free one can never be charged."""

    FREE = "free"
    PAID = "paid"


class FieldKind(StrEnum):
    """The kinds of fields in an item's form."""

    STRING = "string"
    NUMBER = "number"
    TEXT = "text"
    DATETIME = "datetime"
    SINGLE = "single"
    MULTI = "multi"


class FieldFormat(StrEnum):
    """What an answer must be besides its kind: a number whole, a line a phone number, a moment a day."""

    INTEGER = "integer"
    PHONE = "phone"
    DATE = "date"


class Choice(Words):
    """One of the answers that a field of a form offers."""

    key: str


class FormField(BaseModel):
    """One question that an item asks.

    ``minimum`` and ``maximum`` bound a number, the length of a text, the number of choices, and of a moment its day,
    in days from today: a maximum of 0 is not in the future.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    label: Words
    kind: FieldKind | str
    required: bool
    values: list[Choice] = Field(default_factory=list)
    format: FieldFormat | str | None = None
    minimum: float | None = None
    maximum: float | None = None


class System(StrEnum):
    """The four service systems."""

    HEALTH = "health"
    LABOUR = "labour"
    CULTURE = "culture"
    GOVERNANCE = "governance"


class Tier(StrEnum):
    """The kinds of handlers, nearest first; supervision only if there is no nearer one."""

    STATION = "station"
    TEAM = "team"
    CENTRE = "centre"
    COUNTY = "county"
    SUPERVISION = "supervision"


class ItemPublished(Event):
    """A service item was published as described; publishing it again replaces the description."""

    system: System | str
    group: Words
    name: Words
    mode: Mode | str
    tiers: list[Tier | str]
    department: Code
    first_response_hours: float
    resolution_hours: float
    general: bool = False
    team_kind: Code | None = None
    skill: Code | None = None
    eligibility: Words | None = None
    materials: list[Words] = Field(default_factory=list)
    steps: list[Words] = Field(default_factory=list)
    form: list[FormField] = Field(default_factory=list)
    keywords: list[PublicText] = Field(default_factory=list)
    emergency: Words | None = None
    followable: bool = False
    sensitive: bool = False
    """Nobody who looks at somebody's phone is to read that they asked for it."""
    accept_within_minutes: int | None = None
    """Of an item of danger: somebody on call accepts it within these minutes, at any hour."""
    shared_danger: bool = False
    """Its danger is one for all around it, such as a fire: neighbours who report it are one incident."""
    danger_answers: list[Code] = Field(default_factory=list)
    """The answers to the question `danger` that make a case one of danger; every case is where there are none."""


class ItemWithdrawn(Event):
    """A service item was withdrawn."""
