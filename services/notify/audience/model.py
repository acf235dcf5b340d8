"""The directory: copies of people, staff, organisations and teams, by which recipients are found."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Copy, Index
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.contracts.members.teams import (
    TEAM,
    TeamFounded,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    members_after,
)

SIGNED_IN = tuple(role.value for role in Role)
"""Everybody who has an account, whatever the role."""

PersonEvent = PersonRegistered | ProfileChanged
StaffEvent = AccountOpened | RolesGranted | AccountClosed
OrganisationEvent = OrganisationFounded | LeaderAppointed
TeamEvent = TeamFounded | TeamLeaderAppointed | TeamMemberJoined | TeamMemberLeft


class Person(Copy[PersonEvent]):
    """A person who can get notices."""

    entity_type: ClassVar[str] = "person"
    creates = (PersonRegistered,)

    name: Sealed | None = None
    phone: Sealed | None = None
    area: str | None = None
    voice_only: bool = False

    def apply(self, event: PersonEvent) -> None:
        """Take an event of the source into the copy."""
        self.name, self.phone, self.area = event.name, event.phone, event.area
        self.voice_only = event.voice_only

    def subjects(self) -> tuple[str, ...]:
        """The person."""
        return (self.id,)


class Staff(Copy[StaffEvent]):
    """An account: the person behind it, the organisations it works for, the posts (role and place) that it holds."""

    entity_type: ClassVar[str] = "staff"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("organisations",)), Index(("posts",)))
    creates = (AccountOpened,)

    person_id: str
    organisations: list[str]
    posts: list[str]

    def apply(self, event: StaffEvent) -> None:
        """Take an event of the source into the copy."""
        self.person_id = event.person_id
        if isinstance(event, AccountClosed):
            self.gone, self.organisations, self.posts = True, [], []
        else:
            self.organisations = event.organisations
            self.posts = [post(role, place) for role in event.roles for place in event.places]


class Organisation(Copy[OrganisationEvent]):
    """An organisation that serves a place."""

    entity_type: ClassVar[str] = "organisation"
    creates = (OrganisationFounded,)

    name: Words
    area: str
    above: str | None = None
    leader_id: str | None = None

    def apply(self, event: OrganisationEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case OrganisationFounded():
                self.name, self.area, self.above = event.name, event.area, event.above
                self.leader_id = None
            case LeaderAppointed():
                self.leader_id = event.leader_id
            case _:
                assert_never(event)


class Team(Copy[TeamEvent]):
    """A volunteer team."""

    entity_type: ClassVar[str] = TEAM
    creates = (TeamFounded,)

    name: Words
    area: str
    leader_id: str | None = None
    members: list[str]

    def apply(self, event: TeamEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case TeamFounded():
                self.name, self.area, self.leader_id = event.name, event.area, event.leader_id
                self.members = []
            case TeamLeaderAppointed():
                self.leader_id = event.leader_id
            case TeamMemberJoined() | TeamMemberLeft():
                self.members = members_after(self.members, event)
            case _:
                assert_never(event)


def post(role: str, place: str) -> str:
    """A role at a place, as staff are found by it."""
    return f"{role}@{place}"
