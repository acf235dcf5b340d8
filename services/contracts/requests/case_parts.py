"""What several events in the life of a case have in common, and the facts of its filing."""

from enum import StrEnum

from pydantic import BaseModel

from services.chassis.domain.values import Code, Id, Instant, Sealed
from services.chassis.domain.words import Words
from services.contracts.requests.catalogue import System, Tier


class Channel(StrEnum):
    """How a request came in."""

    SELF = "self"
    ON_BEHALF = "on_behalf"


class Filing(BaseModel):
    """The facts of a request when it is filed."""

    number: Code
    filed_at: Instant
    resident_id: Id
    filed_by: Id
    channel: Channel | str
    item: Code
    item_name: Words
    system: System | str
    area: Code
    title: Sealed
    text: Sealed
    address: Sealed | None = None
    position: Sealed | None = None
    answers: Sealed | None = None
    skill: Code | None = None
    team_kind: Code | None = None
    department: Code
    tiers: list[Tier | str]
    first_response_hours: float
    resolution_hours: float
    voice_only: bool = False
    """Whether text messages do not reach its resident, by the phone that they had then: they are called back."""
    followable: bool = False
    """Whether others are shown that this was asked for, and may follow it."""
    sensitive: bool = False
    """Whether text messages and the lines of an inbox leave out what it is about."""
    advice: Sealed | None = None
    """What to do at once, as the person who filed it was told; see ``contracts.requests.dangers``."""
    danger_named: bool = False
    """Whether its words name a danger; the advice may also be that of its item."""
    accept_within_minutes: int | None = None
    """Of a case of danger: within how many minutes somebody accepts it. Its limits run on the clock."""
    shared_danger: bool = False
    """Whether the danger is one for all around it: a neighbour who reports it does not report another one."""


class ByResident(BaseModel):
    """Of an event that the resident or staff for them may have caused: whether it was the resident."""

    by_resident: bool = False


class InDanger(BaseModel):
    """Of an event after which cases of the same danger go on otherwise: whether the case is one of danger."""

    in_danger: bool = False


class WithEnd(BaseModel):
    """Of an event after which nobody works on the case any more: when that was."""

    ended_at: Instant


class OfHandler(BaseModel):
    """Of an event that concerns the organisation or team that has the case: which one had it then, if one had."""

    handler_id: Id | None = None


class LeavesHandler(BaseModel):
    """Of an event after which its handler need not have the case any more: the organisation or team that had it."""

    from_id: Id | None = None
    from_tier: Tier | str | None = None
    from_announced: bool = False
    """Whether those who work there had been told of it: a volunteer team is, once it has a slot for it."""

    @property
    def from_team(self) -> str | None:
        """The volunteer team that had it."""
        return self.from_id if self.from_tier == Tier.TEAM else None
