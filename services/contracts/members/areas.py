"""The events of areas, and what follows from an area's code: the code is its own path from the city down."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel, Field

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, shaped
from services.chassis.domain.words import Words


class Level(StrEnum):
    """The five levels of places; an area's code is its path."""

    CITY = "city"
    COUNTY = "county"
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"
    GRID = "grid"


LENGTHS = {Level.CITY: 4, Level.COUNTY: 6, Level.SUB_DISTRICT: 9, Level.COMMUNITY: 12, Level.GRID: 15}
"""The length of the code of each level: digits of the statistical code; a grid's has -NN behind."""

AreaCode = Annotated[
    str,
    shaped(
        r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}(-[0-9]{2})?)$",
        "area-code",
        description="statistical code; a grid's has -NN behind",
    ),
]


class Located(BaseModel):
    """An object in one area; lists of all areas above include it."""

    area: str

    def places(self) -> tuple[str, ...]:
        """The codes from the city down to its area."""
        return path(self.area)


def path(code: str) -> tuple[str, ...]:
    """The codes from the city down to ``code`` itself."""
    return (*(code[:length] for length in LENGTHS.values() if length < len(code)), code)


def enclosing(code: str, level: Level) -> str:
    """The code of the area of this level in which ``code`` lies."""
    return code[: LENGTHS[level]]


def include_a_city(places: Iterable[str]) -> bool:
    """Whether one of these places is a whole city."""
    return any(len(code) == LENGTHS[Level.CITY] for code in places)


class AreaAdded(Event):
    """An area was added; its code is its id and says where it lies."""

    level: Level | str
    name: Words


class AreaRenamed(Event):
    """An area was renamed."""

    name: Words


class Bounds(BaseModel):
    """The box in which an area lies, in degrees (WGS 84); it may be larger than the area."""

    south: Annotated[float, Field(ge=-90, le=90)]
    west: Annotated[float, Field(ge=-180, le=180)]
    north: Annotated[float, Field(ge=-90, le=90)]
    east: Annotated[float, Field(ge=-180, le=180)]

    def include(self, latitude: float, longitude: float) -> bool:
        """Whether a position lies in it."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


class AreaBounded(Bounds, Event):
    """An area was bounded by a box: positions outside it are mistakes."""


class AreaClosure(StrEnum):
    """Why an area was closed."""

    MERGED = "merged"
    SPLIT = "split"
    DISSOLVED = "dissolved"
    MISTAKEN = "mistaken"


class AreaClosed(Event):
    """An area was closed; no requests are accepted in it, nor in the areas inside it. ``successor`` takes its place."""

    reason: AreaClosure | str
    successor: Code | None = None


AreaEvent = AreaAdded | AreaRenamed | AreaBounded | AreaClosed


class AreaState(BaseModel):
    """The state of an area: the same for the service that owns it and for those that keep a copy."""

    level: Level | str
    name: Words
    open: bool = True
    bounds: Bounds | None = None
    successor: str | None = None

    def apply(self, event: AreaEvent) -> None:
        """Fold an event into the state."""
        match event:
            case AreaAdded():
                self.level, self.name, self.open = event.level, event.name, True
            case AreaRenamed():
                self.name = event.name
            case AreaBounded():
                self.bounds = Bounds.model_validate(event.model_dump())
            case AreaClosed():
                self.open, self.successor = False, event.successor
            case _:
                assert_never(event)
