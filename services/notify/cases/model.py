"""A case as notify knows it, the audiences of its events, and the conditions of its rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, assert_never

from services.chassis.domain.entity import Copy
from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.contracts.members.areas import LENGTHS, Level, Located, path
from services.contracts.members.roles import Role
from services.contracts.requests.cases import (
    MOST_RETURNS,
    CaseDispatched,
    CaseEscalated,
    CaseFiled,
    CaseReopened,
    CaseResumed,
    CaseReturned,
    CaseUnassigned,
    CloseReason,
    EscalationCause,
    LimitsSet,
)
from services.notify.audience.model import post
from services.notify.audience.queries import Address
from services.notify.rules.model import Occurrence

CaseEvent = (
    CaseFiled | LimitsSet | CaseDispatched | CaseUnassigned | CaseReturned | CaseReopened | CaseResumed | CaseEscalated
)


class Case(Located, Copy[CaseEvent]):
    """A case, as far as those who hear of it need to know it."""

    entity_type: ClassVar[str] = "case"
    creates = (CaseFiled,)

    number: str
    resident_id: str
    item_name: Words
    system: str
    routed: int | None = None
    """The version with which the case was first assigned, or first found to have no possible handler."""
    tier: str | None = None
    handler_id: str | None = None
    handler_name: Words | None = None
    settled_by: str | None = None
    """Who had the case when its resident was not content and it was reopened."""
    due_at: Instant | None = None
    level: int = 0
    owner_id: str | None = None

    def apply(self, event: CaseEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case CaseFiled():
                self._file(event)
            case LimitsSet() | CaseResumed():
                self.due_at = event.due_at
            case CaseDispatched():
                self._hand_to(event.handler_id, event.handler_name, event.tier)
                self.routed = self.routed or self.version
            case CaseUnassigned():
                self._hand_to(None, None, None)
                self.routed = self.routed or self.version
            case CaseReturned():
                self._hand_to(None, None, None)
            case CaseReopened():
                self.settled_by = self.handler_id
                self.level, self.owner_id = 0, None
            case CaseEscalated():
                self.level, self.owner_id = event.level, event.owner_id
            case _:
                assert_never(event)

    def _file(self, event: CaseFiled) -> None:
        self.number, self.resident_id, self.area = event.number, event.resident_id, event.area
        self.item_name, self.system = event.item_name, event.system
        self.routed = self.settled_by = self.due_at = self.owner_id = None
        self.level = 0
        self._hand_to(None, None, None)

    def _hand_to(self, id: str | None, name: Words | None, tier: str | None) -> None:
        self.handler_id, self.handler_name, self.tier = id, name, tier


@dataclass(frozen=True)
class Resident:
    """The resident whose case it is."""

    staff = False

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """One person."""
        return [[Address("person", what.copy.resident_id)]]


@dataclass(frozen=True)
class Dispatchers:
    """The dispatchers of the case's place; without any, the supervisors above it."""

    staff = True

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """The posts of the sub-district, then of the county, then of the city."""
        above = [level for level in reversed(path(what.copy.area)) if len(level) <= LENGTHS[Level.SUB_DISTRICT]]
        return [[_at(Role.DISPATCHER, place), *_supervising(place)] for place in above]


@dataclass(frozen=True)
class Handler:
    """Those who work for the organisation or team that has the case, with its leader; else those who dispatch."""

    field: str = "handler_id"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """The handler that the event names, or that the case names."""
        handler = getattr(what.event, self.field, None) or getattr(what.copy, self.field)
        own = [[Address("organisation", handler)]] if handler else []
        return [*own, *Dispatchers().choices(what)]


@dataclass(frozen=True)
class Volunteers:
    """The members of the team that has the case: they are called, but may not see what is said among staff."""

    staff = True

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """The team; nobody where an organisation has the case."""
        team = getattr(what.event, "handler_id", None) or what.copy.handler_id
        return [[Address("team", team)]] if team else []


@dataclass(frozen=True)
class Supervisors:
    """Those who supervise above the case, the nearest first."""

    staff = True

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """The posts of the county, then of the city."""
        return [[_at(Role.SUPERVISOR, place)] for place in reversed(path(what.copy.area)[:2])]


@dataclass(frozen=True)
class Owner:
    """Those who answer for the level to which a case was escalated."""

    staff = True

    def choices(self, what: Occurrence[Case]) -> Sequence[Sequence[Address]]:
        """The owning organisation and the posts of its place; else the supervisors above."""
        event: CaseEscalated = what.event
        owning = [Address("organisation", event.owner_id)] if event.owner_id else []
        place = event.owner_place
        posts = [_at(Role.SUPERVISOR, place)] if len(place) <= LENGTHS[Level.COUNTY] else [_at(Role.DISPATCHER, place)]
        return [[*owning, *posts], *Supervisors().choices(what)]


def first_routed(what: Occurrence[Case]) -> bool:
    """Whether the case is assigned, or found to have no possible handler, for the first time."""
    return what.version == what.copy.routed


def routed_again(what: Occurrence[Case]) -> bool:
    """Whether it was given to somebody before."""
    return not first_routed(what)


def returned_often(what: Occurrence[Case]) -> bool:
    """Whether the supervisor decides now."""
    return bool(what.event.times >= MOST_RETURNS)


def returned_seldom(what: Occurrence[Case]) -> bool:
    """Whether the dispatchers still decide."""
    return not returned_often(what)


def by_resident(what: Occurrence[Case]) -> bool:
    """Whether the resident wrote the comment."""
    return bool(what.event.by_resident)


def for_resident(what: Occurrence[Case]) -> bool:
    """Whether staff wrote the comment for the resident to read."""
    return bool(what.event.public and not what.event.by_resident)


def among_staff(what: Occurrence[Case]) -> bool:
    """Whether the comment is for staff only."""
    return not what.event.public and not what.event.by_resident


def not_withdrawn(what: Occurrence[Case]) -> bool:
    """Whether the case ended otherwise than by its resident's withdrawal."""
    return bool(what.event.reason != CloseReason.WITHDRAWN)


def not_returned(what: Occurrence[Case]) -> bool:
    """Whether it is escalated for another reason than too many returns."""
    return bool(what.event.because != EscalationCause.RETURNED)


def _at(role: Role, place: str) -> Address:
    return Address("post", post(role, place))


def _supervising(place: str) -> list[Address]:
    return [_at(Role.SUPERVISOR, place)] if len(place) <= LENGTHS[Level.COUNTY] else []
