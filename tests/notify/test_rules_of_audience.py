"""Copies of people, staff, organisations, teams and cases: what others' events make of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.teams import TeamFounded, TeamLeaderAppointed, TeamMemberJoined, TeamMemberLeft
from services.contracts.requests import cases
from services.notify.audience import model
from services.notify.audience.model import Organisation, Person, Staff, Team
from services.notify.cases.model import Case
from services.notify.messages.model import Message
from services.notify.preferences.model import Preferences
from tests.notify.conftest import CITY, COMMUNITY, COUNTY, RESIDENT, STATION, STREET, limits
from tests.notify.hearing import (
    AT,
    BOOKED,
    FILED,
    PAUSED,
    SEALED,
    TO_STATION,
    TO_TEAM,
    UNASSIGNED,
    UP,
    case_after,
)


def test_a_person_is_as_registered_and_then_as_changed() -> None:
    person, gone = Person.blank("person_1"), {"gone": False}
    assert person.as_stored() == gone | {"name": None, "phone": None, "area": None, "voice_only": False}
    person.apply(PersonRegistered(name=Sealed("1.name"), phone=Sealed("1.phone"), area=COMMUNITY))
    known = {"name": "1.name", "phone": "1.phone", "area": COMMUNITY, "voice_only": False}
    assert person.as_stored() == gone | known
    person.apply(ProfileChanged(phone=Sealed("1.other"), voice_only=True))
    assert person.as_stored() == gone | {"name": None, "phone": "1.other", "area": None, "voice_only": True}
    assert person.subjects() == ("person_1",)


def test_staff_hold_a_post_for_each_role_at_each_place_until_the_account_is_closed() -> None:
    staff = Staff.blank("account_1")
    staff.apply(
        AccountOpened(
            person_id="person_1", roles=["handler", "dispatcher"], places=[STREET, COUNTY], organisations=[STATION]
        )
    )
    posts = [f"handler@{STREET}", f"handler@{COUNTY}", f"dispatcher@{STREET}", f"dispatcher@{COUNTY}"]
    expected = {"gone": False, "person_id": "person_1", "organisations": [STATION], "posts": posts}
    assert staff.as_stored() == expected
    until = datetime(2026, 11, 23, tzinfo=UTC)
    staff.apply(
        RolesGranted(
            person_id="person_1",
            roles=["supervisor"],
            places=[CITY],
            organisations=[],
            tokens_below=1,
            tokens_until=until,
        )
    )
    assert staff.as_stored() == expected | {"organisations": [], "posts": [f"supervisor@{CITY}"]}
    staff.apply(AccountClosed(person_id="person_1", tokens_until=until))
    assert staff.as_stored() == {"gone": True, "person_id": "person_1", "organisations": [], "posts": []}


def test_an_organisation_is_as_founded_and_has_the_leader_who_was_appointed() -> None:
    organisation = Organisation.blank(STATION)
    event = OrganisationFounded(
        kind="station", name=Words.named("站", "Station"), area=COMMUNITY, above="organisation_x"
    )
    organisation.apply(event)
    expected = {
        "gone": False,
        "name": {"zh": "站", "en": "Station"},
        "area": COMMUNITY,
        "above": "organisation_x",
        "leader_id": None,
    }
    assert organisation.as_stored() == expected
    organisation.apply(LeaderAppointed(leader_id="person_1"))
    assert organisation.as_stored() == expected | {"leader_id": "person_1"}
    bare = Organisation(id="organisation_2", name=Words.named("站"), area=COMMUNITY)
    assert [bare.above, bare.leader_id] == [None] * 2


def test_a_team_has_each_member_once_in_order() -> None:
    team = Team.blank("team_1")
    event = TeamFounded(
        kind="women", name=Words.named("队", "Team"), area=STREET, skills=[], capacity=1, leader_id="person_1"
    )
    team.apply(event)
    expected: dict[str, Any] = {
        "gone": False,
        "name": {"zh": "队", "en": "Team"},
        "area": STREET,
        "leader_id": "person_1",
        "members": [],
    }
    assert team.as_stored() == expected
    for person in ("person_3", "person_2", "person_3"):
        team.apply(TeamMemberJoined(person_id=person))
    team.apply(TeamLeaderAppointed(leader_id="person_2"))
    expected |= {"leader_id": "person_2", "members": ["person_2", "person_3"]}
    assert team.as_stored() == expected
    team.apply(TeamMemberLeft(person_id="person_2"))
    assert team.as_stored() == expected | {"members": ["person_3"]}
    bare = Team(id="team_2", name=Words.named("队"), area=STREET, members=[])
    assert bare.leader_id is None


NEW: dict[str, Any] = {
    "gone": False,
    "area": COMMUNITY,
    "number": "261123-7K3F",
    "resident_id": RESIDENT,
    "operator": None,
    "followers": [],
    "in_danger": False,
    "called": [],
    "linked": False,
    "item_name": {"zh": "路灯报修", "en": "Street light repair"},
    "system": "governance",
    "sensitive": False,
    "advice": None,
    "danger_named": False,
    "routed": None,
    "handler_id": None,
    "handler_name": None,
    "due_at": None,
    "owner_id": None,
    "owner_place": None,
}
HELD = {"handler_id": STATION, "handler_name": {"zh": "服务站", "en": "Station"}}
WITH_TEAM = {"handler_id": "team_1", "handler_name": {"zh": "队", "en": "队"}}
DUE = AT + timedelta(hours=16)
RETURNED = cases.CaseReturned(reason=SEALED, times=1)
REOPENED = cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT)
RESUMED = cases.CaseResumed(respond_by=AT, warn_at=AT, due_at=AT + timedelta(hours=20))
STATES: list[tuple[tuple[Event, ...], dict[str, Any]]] = [
    ((), {}),
    ((limits(AT),), {"due_at": DUE}),
    ((limits(AT), RESUMED), {"due_at": AT + timedelta(hours=20)}),
    ((limits(AT), PAUSED), {"due_at": AT}),
    ((TO_STATION,), {**HELD, "routed": 2}),
    ((UNASSIGNED,), {"routed": 2}),
    ((UNASSIGNED, TO_STATION), {**HELD, "routed": 2}),
    ((TO_STATION, UNASSIGNED), {"routed": 2}),
    ((TO_STATION, RETURNED), {"routed": 2}),
    ((RETURNED, TO_STATION), {**HELD, "routed": 3}),
    ((UP,), {"owner_id": "organisation_x", "owner_place": STREET}),
    ((TO_STATION, UP, REOPENED), {**HELD, "routed": 2}),
    ((TO_STATION, UP, REOPENED, UNASSIGNED), {"routed": 2}),
    ((TO_STATION, REOPENED, limits(AT), UP, FILED), {}),
    ((TO_STATION, TO_TEAM), {**WITH_TEAM, "routed": 2}),
    ((TO_TEAM,), WITH_TEAM),
    ((TO_TEAM, BOOKED), {**WITH_TEAM, "routed": 3}),
    ((TO_TEAM, TO_STATION), {**HELD, "routed": 3}),
]


@pytest.mark.parametrize(("events", "more"), STATES, ids=lambda one: "-".join(type(e).__name__ for e in one))
def test_a_copy_of_a_case_follows_its_events(events: tuple[Event, ...], more: dict[str, Any]) -> None:
    assert case_after(*events).as_stored() == NEW | more


def test_a_copy_that_missed_an_event_lacks_it() -> None:
    known = {name: NEW[name] for name in ("area", "number", "resident_id", "item_name", "system")}
    assert Case(id="case_1", **known).as_stored() == NEW
    assert case_after().places() == (CITY, COUNTY, STREET, COMMUNITY)


def test_copies_hear_of_their_beginning_and_of_what_follows() -> None:
    assert {copy: copy.creates for copy in (Person, Staff, Organisation, Team, Case)} == {
        Person: (PersonRegistered,),
        Staff: (AccountOpened,),
        Organisation: (OrganisationFounded,),
        Team: (TeamFounded,),
        Case: (cases.CaseFiled,),
    }
    follows = [{*copy.events.values()} - {*copy.creates} for copy in (Person, Staff, Organisation, Team)]
    changing: list[set[type[Event]]] = [
        {ProfileChanged},
        {RolesGranted, AccountClosed},
        {LeaderAppointed},
        {TeamLeaderAppointed, TeamMemberJoined, TeamMemberLeft},
    ]
    assert follows == changing
    heard = {"CaseFiled", "LimitsSet", "CaseDispatched", "CaseBooked", "CaseUnassigned", "CaseReturned"}
    heard |= {"CaseReopened", "CasePaused", "LimitsMoved", "CaseFollowed", "CaseUnfollowed", "CaseCalled", "CaseLinked"}
    assert {kind.__name__ for kind in Case.events.values()} == heard | {"CaseResumed", "CaseEscalated"}


def test_what_notify_has_is_kept_where_it_always_was() -> None:
    kinds = (Person, Staff, Organisation, Team, Case, Message, Preferences)
    copies = [f"copies_{name}" for name in ("person", "staff", "organisation", "team", "case")]
    assert [kind.collection() for kind in kinds] == [*copies, "messages", "preferences"]


def test_anyone_who_has_an_account_is_signed_in_whatever_the_role() -> None:
    roles = {"resident", "operator", "handler", "dispatcher", "supervisor", "administrator", "auditor"}
    assert set(model.SIGNED_IN) == roles
    assert model.post("handler", CITY) == "handler@1507"
