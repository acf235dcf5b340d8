"""An area: its statistical code is its id and its path."""

from typing import ClassVar

from services.chassis.domain.entity import Entity, Terms
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, Actor, Visible
from services.chassis.domain.words import Words
from services.contracts.members.areas import (
    LENGTHS,
    AreaAdded,
    AreaBounded,
    AreaClosed,
    AreaClosure,
    AreaEvent,
    AreaRenamed,
    AreaState,
    Bounds,
    Level,
    path,
)


class CodeUnfit(Refusal):
    kind = Kind.INVALID


class BoundsCrossed(Refusal):
    kind = Kind.INVALID


class SuccessorUnfit(Refusal):
    kind = Kind.INVALID


class AreaAlreadyClosed(Refusal):
    kind = Kind.STATE


class AboveMissing(Refusal):
    kind = Kind.INVALID


class AreaNotOpen(Refusal):
    kind = Kind.INVALID


class Area(AreaState, Entity[AreaEvent]):
    """A place of one of five levels, open until it is closed."""

    entity_type: ClassVar[str] = "area"
    terms: ClassVar[Terms] = Terms(text=("name",))

    def places(self) -> tuple[str, ...]:
        """Its own code and those above it."""
        return path(self.id)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may see the city's places."""
        return ALL


def above(code: str) -> str | None:
    """The code of the area in which this one lies; None for a city."""
    codes = path(code)
    return codes[-2] if len(codes) > 1 else None


def add(area: Area, level: Level, name: Words) -> None:
    """Add an area; CodeUnfit if its code belongs to another level."""
    if len(area.id) != LENGTHS[level]:
        raise CodeUnfit(code=area.id, level=level)
    area.record(AreaAdded(level=level, name=name))


def rename(area: Area, name: Words) -> None:
    """Give an open area another name."""
    _open(area)
    if name != area.name:
        area.record(AreaRenamed(name=name))


def bound(area: Area, bounds: Bounds) -> None:
    """Say in which box an open area lies; BoundsCrossed where its sides are swapped."""
    _open(area)
    if bounds.south >= bounds.north or bounds.west >= bounds.east:
        raise BoundsCrossed
    if bounds != area.bounds:
        area.record(AreaBounded(south=bounds.south, west=bounds.west, north=bounds.north, east=bounds.east))


def close(area: Area, reason: AreaClosure, successor: str | None = None) -> None:
    """Close an area, in favour of another one of its level; AreaAlreadyClosed if it is closed, SuccessorUnfit."""
    _open(area)
    if successor is not None and (successor == area.id or len(successor) != len(area.id)):
        raise SuccessorUnfit(code=successor)
    area.record(AreaClosed(reason=reason, successor=successor))


def _open(area: Area) -> None:
    if not area.open:
        raise AreaAlreadyClosed(code=area.id)
