"""A volunteer team: skills, capacity, members, and whether it takes cases now."""

from typing import ClassVar, assert_never

from pydantic import Field

from services.chassis.domain.entity import Entity, Terms
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.words import Words
from services.contracts.members.areas import Located
from services.contracts.members.roles import Role
from services.contracts.members.teams import (
    TEAM,
    TeamFounded,
    TeamKind,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
    members_after,
)

MOST_MEMBERS = 500

TeamEvent = TeamFounded | TeamLeaderAppointed | TeamMemberJoined | TeamMemberLeft | TeamWentOnDuty | TeamWentOffDuty


class TeamTooLarge(Refusal):
    kind = Kind.STATE


class LeaderMissing(Refusal):
    kind = Kind.STATE


class NotYourTeam(Refusal):
    kind = Kind.FORBIDDEN


class Team(Located, Entity[TeamEvent]):
    """Volunteers of one kind in one place, off duty until somebody puts them on."""

    entity_type: ClassVar[str] = TEAM
    terms: ClassVar[Terms] = Terms(text=("name",), values=("skills",))

    kind: TeamKind | str
    name: Words
    skills: list[str]
    capacity: int
    code: str | None = None
    leader_id: str | None = None
    members: list[str] = Field([])
    on_duty: bool = False

    def apply(self, event: TeamEvent) -> None:
        """Fold an event into the state."""
        match event:
            case TeamFounded():
                self._founded(event)
            case TeamLeaderAppointed():
                self.leader_id = event.leader_id
            case TeamMemberJoined() | TeamMemberLeft():
                self.members = members_after(self.members, event)
            case TeamWentOnDuty() | TeamWentOffDuty():
                self.on_duty = isinstance(event, TeamWentOnDuty)
            case _:
                assert_never(event)

    def _founded(self, event: TeamFounded) -> None:
        self.kind, self.name, self.area = event.kind, event.name, event.area
        self.skills, self.capacity = event.skills, event.capacity
        self.code, self.leader_id = event.code, event.leader_id

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may know which teams there are."""
        return ALL


def is_run_by(team: Team, actor: Actor) -> bool:
    """Whether an actor may decide for a team: its leader, and dispatchers and administrators of its place."""
    if actor.has(SYSTEM):
        return True
    if actor.has(Role.DISPATCHER, Role.ADMINISTRATOR) and actor.is_in_charge_of(team.places()):
        return True
    leads = actor.person is not None and actor.person == team.leader_id
    return actor.has(Role.HANDLER) and (leads or team.id in actor.organisations)


def expect_run_by(team: Team, actor: Actor) -> None:
    """NotYourTeam for everybody else."""
    if not is_run_by(team, actor):
        raise NotYourTeam


def join(team: Team, person_id: str) -> None:
    """Add a member; TeamTooLarge beyond 500."""
    if person_id in team.members:
        return
    if len(team.members) >= MOST_MEMBERS:
        raise TeamTooLarge(most=MOST_MEMBERS)
    team.record(TeamMemberJoined(person_id=person_id))


def leave(team: Team, person_id: str) -> None:
    """Remove a member."""
    if person_id in team.members:
        team.record(TeamMemberLeft(person_id=person_id))


def appoint(team: Team, leader_id: str) -> None:
    """Appoint a leader."""
    if team.leader_id != leader_id:
        team.record(TeamLeaderAppointed(leader_id=leader_id))


def go_on_duty(team: Team) -> None:
    """Let it take cases; LeaderMissing where nobody would accept them."""
    if team.leader_id is None:
        raise LeaderMissing
    if not team.on_duty:
        team.record(TeamWentOnDuty())


def go_off_duty(team: Team) -> None:
    """Let it take no more cases."""
    if team.on_duty:
        team.record(TeamWentOffDuty())
