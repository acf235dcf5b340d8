"""The table of rules, without a database: who hears of which event, in which words, how urgently, with which facts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.words import Words
from services.contracts.members.accounts import NewDeviceUsed, SessionEnded, SignInCodeIssued
from services.contracts.members.people import PhoneChanged
from services.contracts.members.rosters import RosterGapFound
from services.contracts.members.teams import TeamMemberJoined
from services.contracts.requests import cases
from services.contracts.requests.alarms import CaseCalled, CaseLinked
from services.contracts.requests.catalogue import ItemPublished
from services.notify.audience.queries import Address
from services.notify.cases.model import Case
from services.notify.cases.parties import model as parties
from services.notify.cases.parties.model import Handler, Owner, Resident, Supervisors
from services.notify.rules.model import Named, Occurrence, Tell
from tests.notify.conftest import CITY, COMMUNITY, COUNTY, STATION, STREET
from tests.notify.hearing import (
    AT,
    DISPATCHING,
    FILED,
    HEARS,
    OFFICE,
    RULES,
    SEALED,
    SUPERVISING,
    TO_STATION,
    TO_TEAM,
    UNASSIGNED,
    UP,
    WANG,
    comment,
    hearing,
    occurrence,
    post,
)


@pytest.mark.parametrize(("what", "heard"), HEARS, ids=lambda one: type(getattr(one, "event", one)).__name__)
def test_of_each_event_of_a_case_these_hear_in_these_words(
    what: Occurrence[Any], heard: list[tuple[str, list[list[Address]], str]]
) -> None:
    assert hearing(what) == heard


def test_for_every_event_with_a_notice_the_recipients_are_tested_above_or_below() -> None:
    elsewhere = {SignInCodeIssued, PhoneChanged, NewDeviceUsed, SessionEnded, TeamMemberJoined, RosterGapFound}
    elsewhere |= {CaseCalled, CaseLinked}  # see test_rules_of_danger.py
    said = {type(what.event) for what, _ in HEARS} | {*elsewhere, cases.LimitsMoved}
    assert {rule.event for rule in RULES} == said


CODE = SignInCodeIssued(person_id="person_1", phone=SEALED, code=SEALED, expires_at=AT + timedelta(minutes=5))


def test_a_sign_in_code_goes_by_phone_at_once_and_who_joins_a_team_hears_of_it() -> None:
    code = Occurrence("code_1:1", CODE, "code_1", 1, AT, "system", None)
    joined = Occurrence("team_1:2", TeamMemberJoined(person_id="person_2"), "team_1", 2, AT, "account_x", None)
    assert hearing(code) == [("sign-in-code", [[Address("person", "person_1")]], "urgent by_phone")]
    assert hearing(joined) == [("team-joined", [[Address("person", "person_2")]], "")]


def test_of_another_number_its_person_hears_by_the_old_one_and_in_the_inbox() -> None:
    changed = PhoneChanged(person_id="person_1", phone=SEALED, expires_at=AT + timedelta(days=1))
    what = Occurrence("person_1:2", changed, "person_1", 2, AT, "account_x", None)
    assert hearing(what) == [("phone-changed", [[Address("person", "person_1")]], "urgent by_phone")]


def test_of_a_new_device_and_of_a_session_in_two_hands_its_person_hears_at_once_and_of_other_ends_nobody() -> None:
    used = Occurrence("session_1:2", NewDeviceUsed(person_id="person_1"), "session_1", 2, AT, "sign-in", None)
    assert hearing(used) == [("new-device", [[Address("person", "person_1")]], "texted urgent")]
    for reason, heard in (
        ("spent_token", [("session-copied", [[Address("person", "person_1")]], "texted urgent")]),
        ("signed_out", []),
    ):
        ended = SessionEnded(person_id="person_1", reason=reason, tokens_until=AT)
        assert hearing(Occurrence("session_1:2", ended, "session_1", 2, AT, "account_1", None)) == heard


@pytest.mark.parametrize(("hours", "marks"), [(3, "texted urgent"), (40, "texted")])
def test_of_a_gap_in_a_roster_those_hear_who_fill_it_through_the_night_where_it_is_near(hours: int, marks: str) -> None:
    start = AT + timedelta(hours=hours)
    gap = RosterGapFound(area=COUNTY, area_name=Words.named("海拉尔区"), system="governance", start=start)
    keepers = [
        [Address("post", f"dispatcher@{COUNTY}"), Address("post", f"supervisor@{COUNTY}")],
        [Address("post", f"{role}@{CITY}") for role in ("dispatcher", "supervisor", "administrator")],
    ]
    heard = hearing(Occurrence("roster_1:3", gap, "roster_1", 3, AT, "roster-watch", None))
    assert heard[0] == ("roster-gap", keepers, marks)


def test_who_waits_for_a_case_and_who_has_it_hear_that_it_is_due_at_another_time_and_nobody_of_less() -> None:
    same = cases.LimitsMoved(respond_by=AT, warn_at=AT, due_at=AT, was_due_at=AT)
    later = same.model_copy(update={"due_at": AT + timedelta(days=9)})
    assert hearing(occurrence(same, TO_STATION)) == []
    assert hearing(occurrence(later, TO_STATION)) == [
        ("case-due-moved", [[WANG]], ""),
        ("case-due-moved-for-staff", [[OFFICE]], ""),
    ]


def test_residents_are_no_staff_and_everybody_else_who_hears_of_cases_is() -> None:
    staff = {type(rule.to).__name__: rule.to.staff for rule in RULES}
    assert staff == {
        "Named": False,
        "Resident": False,
        "Followers": False,
        "Operator": True,
        "Previous": True,
        "Handler": True,
        "Volunteers": True,
        "Dispatchers": True,
        "Supervisors": True,
        "Owner": True,
        "OnCall": True,
        "Watch": True,
        "Keepers": True,
    }


def test_where_nobody_has_a_case_no_handler_hears_of_it() -> None:
    what = occurrence(comment(by_resident=True, from_resident=True), TO_TEAM, UNASSIGNED)
    assert Handler().choices(what) == []
    assert parties.Volunteers().choices(what) == []


def test_who_filed_for_a_caller_is_a_party_and_who_filed_for_themselves_is_none() -> None:
    for_caller = Case.blank("case_1")
    for_caller.apply(FILED.model_copy(update={"channel": "on_behalf", "filed_by": "account_op"}))
    note = replace(occurrence(comment(public=False)), copy=for_caller)
    assert parties.Operator().choices(note) == [[Address("account", "account_op")]]
    assert parties.Operator().choices(occurrence(comment(public=False))) == []


def test_a_case_of_the_citys_own_has_nobody_nearer_than_the_city() -> None:
    what = occurrence(UNASSIGNED)
    city = replace(what, copy=Case(**{**what.copy.model_dump(), "area": CITY}))
    assert [[*one] for one in parties.Dispatchers().choices(city)] == DISPATCHING[2:]
    assert [[*one] for one in Supervisors().choices(city)] == SUPERVISING[1:]


@pytest.mark.parametrize(
    ("place", "who"),
    [
        (COMMUNITY, post("dispatcher", COMMUNITY)),
        (STREET, post("dispatcher", STREET)),
        (COUNTY, post("supervisor", COUNTY)),
        (CITY, post("supervisor", CITY)),
    ],
)
def test_from_the_county_upwards_the_supervisors_answer_for_a_level(place: str, who: Address) -> None:
    up = UP.model_copy(update={"owner_id": None, "owner_place": place})
    first, *rest = Owner().choices(occurrence(up))
    assert [*first] == [who]
    assert [[*one] for one in rest] == SUPERVISING


def test_who_had_a_case_at_the_event_hears_of_it_although_the_copy_is_ahead() -> None:
    reopened = occurrence(cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT), TO_STATION, TO_TEAM)
    urged = occurrence(cases.CaseUrged(times=1, urged_at=AT), TO_STATION)
    urged.copy.apply(TO_TEAM)
    assert Handler().choices(urged) == [[OFFICE]]
    assert Named("handler_id").choices(occurrence(TO_STATION)) == [[Address("person", STATION)]]
    assert Resident().choices(reopened) == [[WANG]]


def test_a_rule_says_its_words_without_marks_unless_they_are_set() -> None:
    plain: Tell[Any] = Tell(ItemPublished, Resident(), "x")
    assert (plain.words, plain.texted, plain.urgent, plain.by_phone) == (None, False, False, False)
    assert plain.when(occurrence(TO_STATION))
