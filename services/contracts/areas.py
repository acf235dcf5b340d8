"""The code of an area, and what follows from it: it is its own path from the city down."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel

from services.chassis.domain.values import shaped
from services.contracts.members import Level

LENGTHS = {Level.CITY: 4, Level.COUNTY: 6, Level.SUB_DISTRICT: 9, Level.COMMUNITY: 12, Level.GRID: 15}
"""How long the code of each level is: digits of the statistical code, a grid's with -NN behind."""

AreaCode = Annotated[
    str,
    shaped(
        r"^([0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}(-[0-9]{2})?)$",
        "区域代码：市 4 位、旗县 6 位、街道 9 位、社区 12 位，网格再加 -NN",
        "the code of an area: 4 digits for the city, 6 for a county, 9 for a sub-district, 12 for a community, "
        "and -NN behind for a grid",
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


def part(code: str, level: Level) -> str:
    """The code of the area of this level in which ``code`` lies."""
    return code[: LENGTHS[level]]


def hold_a_city(places: Iterable[str]) -> bool:
    """Whether a whole city is among these places."""
    return any(len(code) == LENGTHS[Level.CITY] for code in places)
