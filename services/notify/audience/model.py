"""What other services told of people, staff, organisations, teams and cases, as far as telling somebody needs it."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Copy, Index
from services.chassis.domain.values import Instant, Sealed
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.contracts.members.areas import Located
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.contracts.members.teams import TeamFounded, TeamLeaderAppointed, TeamMemberJoined, TeamMemberLeft
from services.contracts.requests.cases import (
    CaseDispatched,
    CaseEscalated,
    CaseFiled,
    CaseReopened,
    CaseResumed,
    CaseReturned,
    CaseUnassigned,
    LimitsSet,
)

SIGNED_IN = tuple(role.value for role in Role)
"""Whoever has an account, whatever the role."""

PersonEvent = PersonRegistered | ProfileChanged
StaffEvent = AccountOpened | RolesGranted | AccountClosed
OrganisationEvent = OrganisationFounded | LeaderAppointed
TeamEvent = TeamFounded | TeamLeaderAppointed | TeamMemberJoined | TeamMemberLeft
CaseEvent = (
    CaseFiled | LimitsSet | CaseDispatched | CaseUnassigned | CaseReturned | CaseReopened | CaseResumed | CaseEscalated
)


class Person(Copy[PersonEvent]):
    """Somebody who can be told things."""

    entity_type: ClassVar[str] = "person"
    creates = (PersonRegistered,)

    name: Sealed | None = None
    phone: Sealed | None = None
    area: str | None = None

    def apply(self, event: PersonEvent) -> None:
        """Take an event of the source into the copy."""
        self.name, self.phone, self.area = event.name, event.phone, event.area

    def subjects(self) -> tuple[str, ...]:
        """The person."""
        return (self.id,)


class Staff(Copy[StaffEvent]):
    """An account: the person behind it, the organisations it works for, the posts (role and place) that it holds."""

    entity_type: ClassVar[str] = "staff"
    indexes: ClassVar[tuple[Index, ...]] = (Index((("state.organisations", 1),)), Index((("state.posts", 1),)))
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

    name: str
    name_en: str | None = None
    area: str
    above: str | None = None
    leader_id: str | None = None

    def apply(self, event: OrganisationEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case OrganisationFounded():
                self.name, self.name_en, self.area, self.above = event.name, event.name_en, event.area, event.above
                self.leader_id = None
            case LeaderAppointed():
                self.leader_id = event.leader_id
            case _:
                assert_never(event)


class Team(Copy[TeamEvent]):
    """A volunteer team."""

    entity_type: ClassVar[str] = "team"
    creates = (TeamFounded,)

    name: str
    name_en: str | None = None
    area: str
    leader_id: str | None = None
    members: list[str]

    def apply(self, event: TeamEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case TeamFounded():
                self.name, self.name_en, self.area, self.leader_id = (
                    event.name,
                    event.name_en,
                    event.area,
                    event.leader_id,
                )
                self.members = []
            case TeamLeaderAppointed():
                self.leader_id = event.leader_id
            case TeamMemberJoined():
                self.members = sorted({*self.members, event.person_id})
            case TeamMemberLeft():
                self.members = [member for member in self.members if member != event.person_id]
            case _:
                assert_never(event)


class Case(Located, Copy[CaseEvent]):
    """A case, as far as those who hear of it need to know it."""

    entity_type: ClassVar[str] = "case"
    creates = (CaseFiled,)

    number: str
    resident_id: str
    item_zh: str
    item_en: str
    system: str
    routed: int | None = None
    """The version with which the case was first given to somebody, or found to be nobody's yet."""
    tier: str | None = None
    handler_id: str | None = None
    handler_zh: str | None = None
    handler_en: str | None = None
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
                self._hand_to(event.handler_id, event.handler_zh, event.handler_en, event.tier)
                self.routed = self.routed or self.version
            case CaseUnassigned():
                self._hand_to(None, None, None, None)
                self.routed = self.routed or self.version
            case CaseReturned():
                self._hand_to(None, None, None, None)
            case CaseReopened():
                self.settled_by = self.handler_id
                self.level, self.owner_id = 0, None
            case CaseEscalated():
                self.level, self.owner_id = event.level, event.owner_id
            case _:
                assert_never(event)

    def _file(self, event: CaseFiled) -> None:
        self.number, self.resident_id, self.area = event.number, event.resident_id, event.area
        self.item_zh, self.item_en, self.system = event.item_zh, event.item_en, event.system
        self.routed = self.settled_by = self.due_at = self.owner_id = None
        self.level = 0
        self._hand_to(None, None, None, None)

    def _hand_to(self, id: str | None, zh: str | None, en: str | None, tier: str | None) -> None:
        self.handler_id, self.handler_zh, self.handler_en, self.tier = id, zh, en, tier


def post(role: str, place: str) -> str:
    """A role at a place, as staff are found by it."""
    return f"{role}@{place}"
