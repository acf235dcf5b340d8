"""The table of rules, without a database: who hears of which event, in which words, how urgently, with which facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.members.accounts import SignInCodeIssued
from services.contracts.members.teams import TeamMemberJoined
from services.contracts.requests import cases
from services.contracts.requests.catalogue import ItemPublished
from services.notify.app import subjects
from services.notify.audience.queries import Address
from services.notify.cases import model
from services.notify.cases.model import Case, Handler, Owner, Resident, Supervisors
from services.notify.rules.model import Named, Occurrence, Tell
from tests.notify.conftest import CITY, COMMUNITY, COUNTY, RESIDENT, STATION, STREET

RULES: list[Tell[Any]] = [rule for subject in subjects for rule in subject.rules]
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SEALED = Sealed("1.sealed")
FILED = cases.CaseFiled(
    area=COMMUNITY,
    channel="self",
    department="housing",
    filed_at=AT,
    filed_by="account_person_wang",
    first_response_hours=2,
    item="GV-01",
    item_name=Words.named("路灯报修", "Street light repair"),
    number="261123-7K3F",
    resident_id=RESIDENT,
    resolution_hours=16,
    system="governance",
    text=SEALED,
    tiers=["station"],
    title=SEALED,
)
TO_STATION = cases.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("服务站", "Station"))
TO_TEAM = cases.CaseDispatched(tier="team", handler_id="team_1", handler_name=Words.named("队"))
UNASSIGNED = cases.CaseUnassigned(reason="x")
UP = cases.CaseEscalated(level=1, owner_id="organisation_x", owner_place=STREET, because="overdue")


def case_after(*events: Event) -> Case:
    """The copy of a case after its filing and these events."""
    case = Case.blank("case_1")
    for version, event in enumerate((FILED, *events), 1):
        case.version = version
        case.apply(event)  # type: ignore[arg-type]
    return case


def occurrence(event: Event, *before: Event) -> Occurrence[Case]:
    """An event of a case that was given to the station, and what was known of the case by then."""
    case = case_after(*before, event) if type(event) in Case.events.values() else case_after(*before)
    version = len(before) + 2
    return Occurrence("case_1:2", event, "case_1", version, AT, "account_x", case)


def post(role: str, place: str) -> Address:
    return Address("post", f"{role}@{place}")


OFFICE, CREW = Address("organisation", STATION), Address("team", "team_1")
WANG = Address("person", RESIDENT)
DISPATCHING = [
    [post("dispatcher", STREET)],
    [post("dispatcher", COUNTY), post("supervisor", COUNTY)],
    [post("dispatcher", CITY), post("supervisor", CITY)],
]
SUPERVISING = [[post("supervisor", COUNTY)], [post("supervisor", CITY)]]


def hearing(what: Occurrence[Any]) -> list[tuple[str, list[list[Address]], str]]:
    """(template, choices, marks) of every rule that has something to say."""
    rules = [rule for rule in RULES if rule.event is type(what.event) and rule.when(what)]
    return [(rule.template, [[*one] for one in rule.to.choices(what)], marks(rule)) for rule in rules]


def marks(rule: Tell[Any]) -> str:
    said = {"texted": rule.texted, "urgent": rule.urgent, "by_phone": rule.by_phone, f"words={rule.words}": rule.words}
    return " ".join(name for name, holds in said.items() if holds)


HAS = [[OFFICE], *DISPATCHING]


def comment(*, public: bool, by_resident: bool) -> cases.CommentAdded:
    return cases.CommentAdded(text=SEALED, public=public, author_id="x", by_resident=by_resident)


HEARS: list[tuple[Occurrence[Any], list[tuple[str, list[list[Address]], str]]]] = [
    (
        occurrence(TO_STATION),
        [
            ("case-filed", [[WANG]], "texted"),
            ("case-assigned", [[OFFICE], *DISPATCHING], "texted"),
            ("team-called", [[Address("team", STATION)]], ""),  # which has no volunteers
        ],
    ),
    (
        occurrence(TO_TEAM, UNASSIGNED),
        [
            ("case-moved", [[WANG]], ""),
            ("case-assigned", [[Address("organisation", "team_1")], *DISPATCHING], "texted"),
            ("team-called", [[CREW]], ""),
        ],
    ),
    (
        occurrence(UNASSIGNED),
        [("case-filed-unassigned", [[WANG]], "texted"), ("case-unassigned", DISPATCHING, "texted")],
    ),
    (occurrence(UNASSIGNED, TO_STATION), [("case-unassigned", DISPATCHING, "texted")]),
    (occurrence(cases.CaseAccepted(), TO_STATION), [("case-accepted", [[WANG]], "")]),
    (
        occurrence(cases.CasePaused(reason=SEALED, paused_at=AT), TO_STATION),
        [("case-paused", [[WANG]], "words=reason")],
    ),
    (
        occurrence(cases.CaseResumed(respond_by=AT, warn_at=AT, due_at=AT), TO_STATION),
        [("case-resumed", [[WANG]], "")],
    ),
    (occurrence(cases.CaseReturned(reason=SEALED, times=1), TO_STATION), [("case-returned", DISPATCHING, "")]),
    (
        occurrence(cases.CaseReturned(reason=SEALED, times=2), TO_STATION),
        [("case-returned-again", SUPERVISING, "texted")],
    ),
    (
        occurrence(cases.CaseReturned(reason=SEALED, times=3), TO_STATION),
        [("case-returned-again", SUPERVISING, "texted")],
    ),
    (
        occurrence(
            cases.CaseResolved(outcome="fixed", answer=SEALED, resolved_at=AT, resolution_seconds=60), TO_STATION
        ),
        [("case-resolved", [[WANG]], "texted words=answer")],
    ),
    (occurrence(cases.CaseRated(score=5, solved=True), TO_STATION), [("case-rated", HAS, "")]),
    (
        occurrence(cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT), TO_STATION),
        [("case-reopened", HAS, ""), ("case-reopened", DISPATCHING, "")],
    ),
    (occurrence(cases.CaseClosed(reason="fixed", ended_at=AT), TO_STATION), [("case-closed", [[WANG]], "")]),
    (occurrence(cases.CaseClosed(reason="withdrawn", ended_at=AT), TO_STATION), []),
    (
        occurrence(cases.CaseCancelled(ended_at=AT), TO_TEAM),
        [
            ("case-cancelled", [[Address("organisation", "team_1")], *DISPATCHING], ""),
            ("case-cancelled", [[CREW]], ""),
        ],
    ),
    (
        occurrence(cases.CaseRejected(reason="x", answer=SEALED, ended_at=AT)),
        [("case-rejected", [[WANG]], "texted words=answer")],
    ),
    (occurrence(cases.CaseUrged(times=1, urged_at=AT), TO_STATION), [("case-urged", HAS, "texted")]),
    (occurrence(comment(public=True, by_resident=True), TO_STATION), [("comment-from-resident", HAS, "")]),
    (occurrence(comment(public=False, by_resident=True), TO_STATION), [("comment-from-resident", HAS, "")]),
    (
        occurrence(comment(public=True, by_resident=False), TO_STATION),
        [("comment-from-staff", [[WANG]], "words=text")],
    ),
    (occurrence(comment(public=False, by_resident=False), TO_STATION), [("comment-among-staff", HAS, "")]),
    (occurrence(cases.CaseWarned(due_at=AT), TO_STATION), [("case-warned", HAS, "texted")]),
    (
        occurrence(cases.CaseOverdue(due_at=AT), TO_STATION),
        [("case-overdue", HAS, "texted urgent"), ("case-overdue", DISPATCHING, "texted urgent")],
    ),
    (
        occurrence(UP, TO_STATION),
        [
            (
                "case-escalated-to-you",
                [[Address("organisation", "organisation_x"), post("dispatcher", STREET)], *SUPERVISING],
                "texted urgent",
            ),
            ("case-escalated", [[WANG]], ""),
        ],
    ),
    (
        occurrence(UP.model_copy(update={"because": "returned"}), TO_STATION),
        [("case-escalated", [[WANG]], "")],
    ),
]


@pytest.mark.parametrize(("what", "heard"), HEARS, ids=lambda one: type(getattr(one, "event", one)).__name__)
def test_of_each_event_of_a_case_these_hear_in_these_words(
    what: Occurrence[Any], heard: list[tuple[str, list[list[Address]], str]]
) -> None:
    assert hearing(what) == heard


def test_for_every_event_with_a_notice_the_recipients_are_tested_above_or_below() -> None:
    said = {type(what.event) for what, _ in HEARS} | {SignInCodeIssued, TeamMemberJoined}
    assert {rule.event for rule in RULES} == said


CODE = SignInCodeIssued(person_id="person_1", phone=SEALED, code=SEALED, expires_at=AT + timedelta(minutes=5))


def test_a_sign_in_code_goes_by_phone_at_once_and_who_joins_a_team_hears_of_it() -> None:
    code = Occurrence("code_1:1", CODE, "code_1", 1, AT, "system", None)
    joined = Occurrence("team_1:2", TeamMemberJoined(person_id="person_2"), "team_1", 2, AT, "account_x", None)
    assert hearing(code) == [("sign-in-code", [[Address("person", "person_1")]], "urgent by_phone")]
    assert hearing(joined) == [("team-joined", [[Address("person", "person_2")]], "")]


def test_residents_are_no_staff_and_everybody_else_who_hears_of_cases_is() -> None:
    staff = {type(rule.to).__name__: rule.to.staff for rule in RULES}
    assert staff == {
        "Named": False,
        "Resident": False,
        "Handler": True,
        "Volunteers": True,
        "Dispatchers": True,
        "Supervisors": True,
        "Owner": True,
    }


def test_where_nobody_has_a_case_those_who_dispatch_hear_and_no_volunteers() -> None:
    what = occurrence(cases.CaseUrged(times=1, urged_at=AT))
    assert [[*one] for one in Handler().choices(what)] == DISPATCHING
    assert model.Volunteers().choices(what) == []


def test_a_case_of_the_citys_own_has_nobody_nearer_than_the_city() -> None:
    what = occurrence(UNASSIGNED)
    city = replace(what, copy=Case(**{**what.copy.model_dump(), "area": CITY}))
    assert [[*one] for one in model.Dispatchers().choices(city)] == DISPATCHING[2:]
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


def test_an_event_that_names_who_had_it_counts_more_than_the_case() -> None:
    reopened = occurrence(cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT), TO_STATION, TO_TEAM)
    assert Handler("settled_by").choices(reopened)[0] == [Address("organisation", "team_1")]
    assert Named("handler_id").choices(occurrence(TO_STATION)) == [[Address("person", STATION)]]
    assert Resident().choices(reopened) == [[WANG]]


def test_a_rule_says_its_words_without_marks_unless_they_are_set() -> None:
    plain: Tell[Any] = Tell(ItemPublished, Resident(), "x")
    assert (plain.words, plain.texted, plain.urgent, plain.by_phone) == (None, False, False, False)
    assert plain.when(occurrence(TO_STATION))
