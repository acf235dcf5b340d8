"""The rules of dispatch, over cases; and a team's slots, of which it never gives more than it has."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple, Self, assert_never

from pydantic import Field

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.words import Words
from services.contracts.members.areas import Level, enclosing
from services.contracts.members.organisations import OrganisationKind
from services.contracts.requests.cases import (
    MOST_RETURNS,
    CaseBooked,
    CaseDispatched,
    CaseTeamAway,
    CaseUnassigned,
    UnassignedBecause,
)
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dispatch import SlotFreed, SlotRefused, SlotReserved
from services.requests.cases.model import Case
from services.requests.cases.states.model import HELD, State
from services.requests.providers.model import Organisation, Team


class HandlerUnknown(Refusal):
    kind = Kind.INVALID


class HandlerElsewhere(Refusal):
    kind = Kind.INVALID


class HandlerUnfit(Refusal):
    kind = Kind.INVALID


class NobodyLeft(Refusal):
    kind = Kind.STATE


class TeamUnfit(Refusal):
    kind = Kind.STATE


class TeamFull(Refusal):
    kind = Kind.STATE


@dataclass(frozen=True, slots=True)
class Choice:
    """A possible handler of a case."""

    tier: Tier
    id: str
    name: Words

    @classmethod
    def of(cls, tier: Tier, body: Organisation | Team) -> Self:
        """An organisation as a handler of this tier."""
        return cls(tier, body.id, body.name)


@dataclass(frozen=True, slots=True)
class Nearby:
    """The possible handlers of a case: organisations, teams on duty (nearest first), and how many cases teams have."""

    offices: Sequence[Organisation] = ()
    teams: Sequence[Team] = ()
    taken: Mapping[str, int] = field(default_factory=dict)

    def room(self, team: Team) -> bool:
        """Whether a team can take one more case, as far as is known."""
        return self.taken.get(team.id, 0) < team.capacity


def choose(case: Case, near: Nearby, passed_over: Collection[str] = ()) -> Choice | None:
    """The handler of the first tier of the item that has one which is not excluded."""
    for tier in case.tiers:
        for choice in _OF_TIER.get(tier, _nobody)(case, near):
            if choice.id not in passed_over:
                return choice
    return None


def supervisor(near: Nearby, passed_over: Collection[str] = ()) -> Choice | None:
    """The nearest supervising office: the county's, else the city's."""
    offices = sorted(_offices(near, OrganisationKind.SUPERVISION), key=lambda o: -len(o.area))
    return next((Choice.of(Tier.SUPERVISION, o) for o in offices if o.id not in passed_over), None)


def give(case: Case, choice: Choice | None, reason: UnassignedBecause) -> None:
    """Assign a case to the chosen handler; without one, it waits for a dispatcher and its clock runs."""
    if choice is None:
        case.record(CaseUnassigned(reason=reason))
    else:
        case.record(_dispatched(choice))


def assign(case: Case, choice: Choice, respond_by: datetime) -> None:
    """Assign a case by hand; the handler gets new time to accept it. Final if the case was returned too often."""
    if case.handler_id != choice.id:
        case.record(_dispatched(choice, forced=case.returns >= MOST_RETURNS, respond_by=respond_by))


def pass_on(case: Case, team_id: str, near: Nearby) -> None:
    """Assign a case for which a team has no slot to the next handler.

    If a supervisor must decide, it waits for the supervisor.
    """
    if case.handler_id == team_id and case.state is State.DISPATCHED and not case.announced:
        choice = None if case.returns >= MOST_RETURNS else choose(case, near, case.tried)
        give(case, choice, UnassignedBecause.TEAM_FULL)


def book(case: Case, team_id: str) -> None:
    """Say that the team has a slot for its case; those concerned are told by this."""
    name = _name_of_holder(case, team_id)
    if name is not None and not case.announced:
        case.record(CaseBooked(handler_id=team_id, handler_name=name))


def ask_dispatcher(case: Case, team_id: str) -> None:
    """Say that the team that has the case went off duty."""
    name = _name_of_holder(case, team_id)
    if name is not None:
        case.record(CaseTeamAway(handler_id=team_id, handler_name=name))


def next_one(case: Case, near: Nearby) -> Choice:
    """The handler that the rules choose now among those who have not had the case; NobodyLeft."""
    choice = choose(case, near, case.tried)
    if choice is None:
        raise NobodyLeft
    return choice


def by_hand(office: Organisation) -> Choice:
    """An organisation as a handler of its tier; HandlerUnfit if its kind takes no cases, such as a hotline."""
    if office.tier is None:
        raise HandlerUnfit(handler=office.name)
    return Choice.of(office.tier, office)


def expect_serves(case: Case, handler: Organisation | Team) -> None:
    """Refuse a handler that serves another place; a team may help in its whole sub-district."""
    near = isinstance(handler, Team) and enclosing(case.area, Level.SUB_DISTRICT) in handler.places()
    if not near and handler.area not in case.places():
        raise HandlerElsewhere(handler=handler.name)


def expect_able(case: Case, team: Team, near: Nearby) -> None:
    """Refuse a team that is off duty, lacks the skill or is full."""
    if not team.on_duty or not team.fits(None, case.skill):
        raise TeamUnfit(team=team.name)
    if case.handler_id != team.id and not near.room(team):
        raise TeamFull(team=team.name, capacity=team.capacity)


def _name_of_holder(case: Case, team_id: str) -> Words | None:
    """The team's name, if it has the case and the case is not done."""
    return case.handler_name if case.handler_id == team_id and case.state in HELD else None


def _dispatched(choice: Choice, *, forced: bool = False, respond_by: datetime | None = None) -> CaseDispatched:
    return CaseDispatched(
        tier=choice.tier,
        handler_id=choice.id,
        handler_name=choice.name,
        forced=forced,
        respond_by=respond_by,
    )


def _offices(near: Nearby, kind: OrganisationKind) -> list[Organisation]:
    return [office for office in near.offices if office.kind == kind]


def _station(_: Case, near: Nearby) -> list[Choice]:
    return [Choice.of(Tier.STATION, o) for o in _offices(near, OrganisationKind.STATION)]


def _team(case: Case, near: Nearby) -> list[Choice]:
    able = (team for team in near.teams if team.on_duty and team.fits(case.team_kind, case.skill))
    return [Choice.of(Tier.TEAM, team) for team in able if near.room(team)]


def _centre(_: Case, near: Nearby) -> list[Choice]:
    return [Choice.of(Tier.CENTRE, o) for o in _offices(near, OrganisationKind.CENTRE)]


def _department(case: Case, near: Nearby) -> list[Choice]:
    offices = _offices(near, OrganisationKind.DEPARTMENT)
    return [Choice.of(Tier.COUNTY, o) for o in offices if o.department == case.department]


def _nobody(*_: object) -> list[Choice]:
    return []


_OF_TIER: Mapping[str, Callable[[Case, Nearby], list[Choice]]] = {
    Tier.STATION: _station,
    Tier.TEAM: _team,
    Tier.CENTRE: _centre,
    Tier.COUNTY: _department,
}

SlotEvent = SlotReserved | SlotRefused | SlotFreed


class CaseAt(NamedTuple):
    """A case as an event left it."""

    id: str
    version: int


class TeamLoad(Entity[SlotEvent]):
    """The cases that a volunteer team has now.

    One document for each team, so that two cases cannot take its last slot.
    """

    entity_type: ClassVar[str] = "load"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("cases",)),)

    team_id: str
    cases: list[str] = Field([])
    given_at: dict[str, int] = Field({})
    """For each case, its version when it was given to the team."""

    def apply(self, event: SlotEvent) -> None:
        """Fold an event into the state."""
        self.team_id = event.team_id
        match event:
            case SlotReserved():
                self.cases = [*self.cases, event.case_id]
                self.given_at = {**self.given_at, event.case_id: event.case_version}
            case SlotRefused():
                pass
            case SlotFreed():
                self.cases = [id for id in self.cases if id != event.case_id]
                self.given_at = {id: version for id, version in self.given_at.items() if id != event.case_id}
            case _:
                assert_never(event)


def reserve(load: TeamLoad, team_id: str, case: CaseAt, capacity: int) -> None:
    """Reserve a slot for a case, or refuse it if all are taken."""
    if case.id in load.cases:
        return
    if len(load.cases) < capacity:
        load.record(SlotReserved(case_id=case.id, team_id=team_id, case_version=case.version))
    else:
        load.record(SlotRefused(case_id=case.id, team_id=team_id))


def free(load: TeamLoad, case: CaseAt) -> None:
    """Release the slot of a case that left the team.

    An event of the case that comes again must not release a slot that was reserved because of a later one.
    """
    if case.id in load.cases and load.given_at[case.id] < case.version:
        load.record(SlotFreed(case_id=case.id, team_id=load.team_id))
