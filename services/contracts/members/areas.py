"""What members tells of places, and what follows from an area's code: it is its own path from the city down."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, assert_never

from pydantic import BaseModel

from services.chassis.domain.events import Event
from services.chassis.domain.values import PublicText, shaped


class Level(StrEnum):
    """The five levels of places; an area's code is its path."""

    CITY = "city"
    COUNTY = "county"
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"
    GRID = "grid"


LENGTHS = {Level.CITY: 4, Level.COUNTY: 6, Level.SUB_DISTRICT: 9, Level.COMMUNITY: 12, Level.GRID: 15}
"""How long the code of each level is: digits of the statistical code, a grid's with -NN behind."""

AreaCode = Annotated[
    str,
    shaped(
        r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}(-[0-9]{2})?)$",
        "area-code",
        description="statistical code; a grid's has -NN behind",
    ),
]


class Located(BaseModel):
    """What lies in one area, and is listed under all that are above it."""

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
    """Whether a whole city is among these places."""
    return any(len(code) == LENGTHS[Level.CITY] for code in places)


class AreaAdded(Event):
    """An area came into being; its code is its id and says where it lies."""

    level: Level | str
    name: PublicText
    name_en: PublicText | None = None


class AreaRenamed(Event):
    """An area got another name."""

    name: PublicText
    name_en: PublicText | None = None


class AreaClosure(StrEnum):
    """Why an area was closed."""

    MERGED = "merged"
    SPLIT = "split"
    DISSOLVED = "dissolved"
    MISTAKEN = "mistaken"


class AreaClosed(Event):
    """An area is no more; requests are not taken any longer in it, nor in what lies in it."""

    reason: AreaClosure | str


AreaEvent = AreaAdded | AreaRenamed | AreaClosed


class AreaState(BaseModel):
    """What its events make of an area: the same for the service that owns it and for those that keep a copy."""

    level: Level | str
    name: PublicText
    name_en: PublicText | None = None
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
