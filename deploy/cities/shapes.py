"""The shapes of a city's data files: areas, catalogue, organisations, volunteer teams.

Dangers are as the services read them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.chassis.domain.words import is_language
from services.chassis.schedule.calendar import CityTimes
from services.contracts.requests.dangers import CityDangers

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Line = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Level = Literal["city", "county", "sub_district", "community"]
Tier = Literal["station", "team", "centre", "county"]
TeamKind = Literal["party_member", "elderly", "women", "housekeeping", "public_safety"]
Role = Literal["operator", "handler", "dispatcher", "supervisor", "administrator"]
System = Literal["health", "labour", "culture", "governance"]

PARENT_LENGTHS: dict[str, int | None] = {"city": None, "county": 4, "sub_district": 6, "community": 9}
"""How many characters of an area's statistical code are the code of the area above."""


class Shape(BaseModel):
    """The base of every entry: unknown fields are errors, entries are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Translated(Shape):
    """A text in further languages, each under its tag (RFC 5646)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Line] = Field(init=False)

    @model_validator(mode="after")
    def _in_languages(self) -> Self:
        if wrong := [tag for tag in self.__pydantic_extra__ if not is_language(tag)]:
            raise ValueError(f"{', '.join(wrong)}: neither a field nor the tag of a language")
        return self


class Words(Translated):
    """A text in Chinese, in English and in further languages."""

    zh: Line
    en: Line


class PlaceName(Translated):
    """The name of a place; English may be left out."""

    zh: Line
    en: Line | None = None


class Bounds(Shape):
    """A box around an area, in degrees; it may be larger than the area."""

    south: float
    west: float
    north: float
    east: float


class Area(Shape):
    code: Annotated[str, StringConstraints(pattern=r"^(\d{4}|\d{6}|\d{9}|\d{12})$")]
    name: PlaceName
    level: Level
    bounds: Bounds | None = None

    @property
    def parent(self) -> str | None:
        """The code of the area above; none for the city."""
        length = PARENT_LENGTHS[self.level]
        return self.code[:length] if length else None


class Areas(Shape):
    source: Line
    areas: tuple[Area, ...] = Field(min_length=1)


class Named(Shape):
    code: Code
    name: Words


class Choice(Words):
    key: Code


class FormField(Shape):
    code: Code
    label: Words
    kind: Literal["string", "number", "text", "datetime", "single", "multi"]
    required: bool
    values: tuple[Choice, ...]
    format: Literal["integer", "phone", "date"] | None = None
    minimum: float | None = None
    maximum: float | None = None


class Item(Named):
    """A service item; limits are in working hours."""

    system: System
    group: Words
    general: bool
    active: bool = True
    eligibility: Words
    materials: tuple[Words, ...]
    steps: tuple[Words, ...] = Field(min_length=1)
    mode: Literal["free", "paid"]
    tiers: tuple[Tier, ...] = Field(min_length=1)
    team_kind: TeamKind | None
    skill: Code | None
    department: Code
    first_response_hours: Annotated[int, Field(gt=0, le=120)]
    resolution_hours: Annotated[int, Field(gt=0, le=120)]
    form: tuple[FormField, ...]
    keywords: tuple[Annotated[str, StringConstraints(min_length=2)], ...] = Field(min_length=1)
    emergency: Words | None
    followable: bool = False
    sensitive: bool = False
    accept_within_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    shared_danger: bool = False
    danger_answers: tuple[Code, ...] = ()


class Catalogue(Shape):
    source: Line
    systems: tuple[Named, ...]
    skills: tuple[Named, ...]
    items: tuple[Item, ...]


class Span(Shape):
    """Hours on some days of the week (1 is Monday), local time; `24:00` is the end of the day."""

    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = Field(min_length=1)
    start: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, Field(alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class Hours(Named):
    working_days_only: bool
    spans: tuple[Span, ...] = Field(min_length=1)


class OrganisationKind(Named):
    """One per area of its level, or with `{what}` in its name one per department; listed after the kind above."""

    level: Level
    tier: Tier | None
    above: Code | None
    hours: Code
    staff: dict[Role, Annotated[int, Field(ge=1)]]


class PlaceEnding(Shape):
    ends: Line
    becomes: str


class Organisations(Shape):
    source: Line
    roles: tuple[Role, ...]
    hours: tuple[Hours, ...]
    kinds: tuple[OrganisationKind, ...]
    departments: tuple[Named, ...]
    place_endings: tuple[PlaceEnding, ...]


class TeamKindRule(Named):
    code: TeamKind
    skills: tuple[Code, ...] = Field(min_length=1)
    capacity: Annotated[int, Field(ge=1)]
    on_duty: tuple[Span, ...] = Field(min_length=1)


class Teams(Shape):
    """Volunteer teams: these kinds in rotation over each sub-district's communities; `name` is a pattern."""

    source: Line
    name: Words
    kinds: tuple[TeamKindRule, ...]


@dataclass(frozen=True, slots=True)
class City:
    """All of a city's data, checked against itself."""

    areas: tuple[Area, ...]
    catalogue: Catalogue
    organisations: Organisations
    teams: Teams
    times: CityTimes
    dangers: CityDangers
