"""People and teams: who sees them, what is shown of them, and what their events make of them."""

import pytest

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import ALL, NOBODY, Actor, Visible, system_actor
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.teams import (
    TeamFounded,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
)
from services.members.accounts.authenticators.model import Authenticator
from services.members.accounts.codes.model import PhoneCode
from services.members.accounts.model import Account
from services.members.accounts.sessions.model import Session
from services.members.areas.model import Area
from services.members.organisations.model import Organisation
from services.members.people import model as people
from services.members.people.model import Person, PersonUnmasked
from services.members.teams import model as teams
from services.members.teams.model import NotYourTeam, Team, TeamTooLarge
from tests.members.support import CITY, COMMUNITY, COUNTY, FAR_STREET, STREET

STAFF = ("operator", "handler", "dispatcher", "supervisor", "administrator")
CALLER = Sealed("1.name"), Sealed("1.phone"), Sealed("1.address")


def staff(role: str, *places: str, organisations: tuple[str, ...] = ("organisation_1",)) -> Actor:
    return Actor("account_1", frozenset({role}), places, organisations, person="person_9")


def own() -> tuple[str, tuple[str, ...]]:
    return "_id", ("person_9",)


def test_a_person_is_what_their_events_say() -> None:
    person = Person.blank("person_1")
    assert person.as_stored() == {"name": None, "phone": None, "address": None, "area": None, "voice_only": False}
    assert (person.places(), person.subjects()) == ((), ("person_1",))
    name, phone, address = CALLER
    person.record(PersonRegistered(name=name, phone=phone, address=address, area=COMMUNITY))
    sealed = {"name": "1.name", "phone": "1.phone", "address": "1.address"}
    expected = {**sealed, "area": COMMUNITY, "voice_only": False}

    assert person.as_stored() == expected
    assert person.places() == (CITY, COUNTY, STREET, COMMUNITY)
    person.record(PersonUnmasked(who="account_1", reason=Sealed("1.reason")))
    assert person.as_stored() == expected, "a look changes nothing"
    person.record(ProfileChanged(phone=phone))
    assert person.as_stored() == {"name": None, "phone": "1.phone", "address": None, "area": None, "voice_only": False}


def test_what_members_owns_is_kept_where_it_always_was() -> None:
    kinds = (Account, Area, Authenticator, Organisation, Person, PhoneCode, Session, Team)
    assert [kind.collection() for kind in kinds] == [
        "accounts",
        "areas",
        "authenticators",
        "organisations",
        "people",
        "phonecodes",
        "sessions",
        "teams",
    ]


def test_lookups_of_a_person_are_private() -> None:
    assert PersonUnmasked.private
    assert Person.collection() == "people"
    assert people.PersonUnknown.kind is Kind.INVALID


@pytest.mark.parametrize("role", STAFF)
def test_staff_see_the_people_of_their_places_and_those_of_the_city_everybody(role: str) -> None:
    assert Person.visible(staff(role, STREET)) == Visible(any_of=(own(), ("under", (STREET,))))
    assert Person.visible(staff(role, STREET, CITY)) == ALL


def test_residents_and_the_leaders_of_volunteers_see_themselves_only() -> None:
    assert Person.visible(staff("resident", CITY)) == Visible(any_of=(own(),))
    assert Person.visible(staff("handler", CITY, organisations=("team_1",))) == Visible(any_of=(own(),))
    assert Person.visible(staff("handler", CITY, organisations=())) == Visible(any_of=(own(),))
    both = staff("handler", STREET, organisations=("team_1", "organisation_1"))
    assert Person.visible(both) == Visible(any_of=(own(), ("under", (STREET,))))
    assert Person.visible(system_actor("timer")) == ALL


def test_others_see_of_a_name_as_much_as_they_need() -> None:
    assert people.masked_name("王小明") == people.masked_name("王") == "王**"


FOUNDED = TeamFounded(
    kind="women",
    name=Words.named("巾帼队", "Women"),
    area=STREET,
    skills=["patrol"],
    capacity=3,
    leader_id="person_1",
    code="zhengyang-women",
)


def founded(**more: object) -> Team:
    team = Team.blank("team_1")
    team.record(FOUNDED.model_copy(update=more))
    return team


def test_a_team_is_what_its_events_say() -> None:
    team = founded()
    expected = FOUNDED.model_dump() | {"members": [], "on_duty": False}
    assert team.as_stored() == expected
    assert team.places() == (CITY, COUNTY, STREET)
    teams.appoint(team, "person_1")
    teams.appoint(team, "person_2")
    for person in ("person_3", "person_4", "person_3"):
        teams.join(team, person)
    teams.go_on_duty(team)
    teams.go_on_duty(team)
    expected |= {"leader_id": "person_2", "members": ["person_3", "person_4"], "on_duty": True}
    assert team.as_stored() == expected
    for person in ("person_3", "person_5"):
        teams.leave(team, person)
    teams.go_off_duty(team)
    teams.go_off_duty(team)
    assert team.as_stored() == expected | {"members": ["person_4"], "on_duty": False}
    assert team.fresh[1:] == [
        TeamLeaderAppointed(leader_id="person_2"),
        TeamMemberJoined(person_id="person_3"),
        TeamMemberJoined(person_id="person_4"),
        TeamWentOnDuty(),
        TeamMemberLeft(person_id="person_3"),
        TeamWentOffDuty(),
    ], "what changes nothing is no event"


def test_a_team_that_is_full_takes_its_members_again_but_nobody_else() -> None:
    team = founded()
    team.members = [f"person_{number}" for number in range(499)]
    teams.join(team, "person_499")
    teams.join(team, "person_0")
    with pytest.raises(TeamTooLarge) as refused:
        teams.join(team, "person_500")
    assert (refused.value.params, refused.value.kind) == ({"most": 500}, Kind.STATE)


@pytest.mark.parametrize("role", ["dispatcher", "administrator"])
def test_who_dispatches_or_administers_in_its_place_runs_a_team(role: str) -> None:
    assert teams.is_run_by(founded(), staff(role, COUNTY))
    assert teams.is_run_by(founded(), staff(role, FAR_STREET, STREET))
    assert not teams.is_run_by(founded(), staff(role, FAR_STREET))
    assert not teams.is_run_by(founded(), staff(role, COMMUNITY))


def test_a_leader_runs_the_own_team_as_a_handler_and_so_does_who_has_it_as_organisation() -> None:
    led = founded(leader_id="person_9")
    assert teams.is_run_by(led, staff("handler"))
    assert not teams.is_run_by(led, staff("resident"))
    assert teams.is_run_by(founded(), staff("handler", organisations=("team_1",)))
    assert not teams.is_run_by(founded(), staff("handler", organisations=("team_2",)))
    assert not teams.is_run_by(founded(), staff("supervisor", CITY))
    nobodys, nobody = founded(leader_id=None), Actor("account_1", frozenset({"handler"}))
    assert not teams.is_run_by(nobodys, nobody), "who is nobody leads no team that nobody leads"


def test_the_system_runs_every_team_and_everybody_else_is_refused() -> None:
    teams.expect_run_by(founded(), system_actor("timer"))
    with pytest.raises(NotYourTeam) as refused:
        teams.expect_run_by(founded(), staff("supervisor", CITY))
    assert refused.value.kind is Kind.FORBIDDEN


def test_everybody_may_know_which_teams_there_are() -> None:
    assert Team.visible(NOBODY) == ALL
    bare = Team(id="team_1", kind="women", name=FOUNDED.name, area=STREET, skills=[], capacity=1)
    assert [bare.code, bare.leader_id] == [None] * 2
