"""Who hears of a case of danger: who is on call by every channel, each level once, the resident when it is accepted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.words import Words
from services.contracts.members.areas import Level, enclosing
from services.contracts.members.rosters import RosterGapFound
from services.contracts.requests import cases
from services.contracts.requests.alarms import CaseCalled, CaseLinked
from services.notify.audience.queries import Address
from services.notify.cases.model import Case
from services.notify.rules.model import Occurrence
from tests.notify.conftest import CITY, COUNTY, STREET
from tests.notify.hearing import AT, FILED, OFFICE, RULES, TO_STATION, WANG, hearing, post

MINUTE = timedelta(minutes=1)
NIGHT = Address("person", "person_night")
CALLED = CaseCalled(step=1, place=STREET, person_id="person_night", next_at=AT + 10 * MINUTE)
NOBODY = CaseCalled(step=2, place=COUNTY, next_at=AT)
TO_CENTRE = cases.CaseDispatched(tier="centre", handler_id="organisation_centre", handler_name=Words.named("中心"))
CENTRE = Address("organisation", "organisation_centre")


def of_danger(event: Event, *before: Event) -> Occurrence[Case]:
    """An event of a case of danger, and what is known of the case with it."""
    case = Case.blank("case_1")
    for version, one in enumerate((FILED.model_copy(update={"accept_within_minutes": 10}), *before, event), 1):
        case.version = version
        if type(one) in Case.events.values():
            case.apply(one)  # type: ignore[arg-type]
    if isinstance(event, CaseCalled | CaseLinked):
        event = event.model_copy(update={"handler_id": case.handler_id})
    return Occurrence("case_1:2", event, "case_1", case.version, AT, "account_x", case)


def test_who_is_on_call_and_who_has_the_case_are_called_urgently() -> None:
    assert hearing(of_danger(CALLED, TO_STATION)) == [
        ("case-called", [[NIGHT]], "texted urgent"),
        ("danger-assigned", [[OFFICE]], "texted urgent"),
    ]
    again = CALLED.model_copy(update={"step": 2})
    assert hearing(of_danger(again, TO_STATION)) == [("case-called", [[NIGHT]], "texted urgent")]
    assert {rule.template for rule in RULES if rule.by_all} == {
        "case-called",
        "nobody-on-call",
        "nobody-at-top",
        "danger-escalated-to-you",
    }


def test_that_nobody_is_on_call_hear_those_of_the_level_and_above_where_there_are_none() -> None:
    at_county = [post("dispatcher", COUNTY), post("supervisor", COUNTY)]
    at_city = [post("dispatcher", CITY), post("supervisor", CITY), post("administrator", CITY)]
    assert hearing(of_danger(NOBODY, TO_STATION)) == [("nobody-on-call", [at_county, at_city], "texted urgent")]
    low = NOBODY.model_copy(update={"place": STREET})
    assert hearing(of_danger(low, TO_STATION))[0][1] == [[post("dispatcher", STREET)], at_county, at_city]
    top = NOBODY.model_copy(update={"place": CITY})
    assert hearing(of_danger(top, TO_STATION))[0] == ("nobody-at-top", [at_city], "texted urgent")


def test_who_answers_for_the_top_hears_that_somebody_may_be_in_danger_as_long_as_nobody_accepted_it() -> None:
    def templates(because: cases.EscalationCause) -> list[str]:
        up = cases.CaseEscalated(level=1, owner_id=None, owner_place=CITY, because=because, next_at=None)
        return [template for template, *_ in hearing(of_danger(up, TO_STATION))]

    assert templates(cases.EscalationCause.UNACCEPTED)[1] == "danger-escalated-to-you"
    assert "danger-escalated-to-you" not in templates(cases.EscalationCause.OVERDUE)


def test_calls_that_begin_again_are_not_over_for_those_who_were_called_the_first_time() -> None:
    again = CALLED.model_copy(update={"person_id": "person_day"})
    heard = hearing(of_danger(cases.CaseAccepted(in_danger=True), TO_STATION, CALLED, again))
    assert heard[-1] == ("call-over", [[Address("person", "person_day")]], "texted urgent")


def test_when_somebody_accepts_it_the_resident_hears_it_at_once_and_those_who_were_called_need_not_come() -> None:
    accepted = cases.CaseAccepted(in_danger=True)
    assert hearing(of_danger(accepted, TO_STATION, CALLED)) == [
        ("danger-accepted", [[WANG]], "texted urgent"),
        ("case-accepted", [[WANG]], ""),
        ("call-over", [[NIGHT]], "texted urgent"),
    ]
    assert [template for template, *_ in hearing(of_danger(accepted, TO_STATION))][2:] == []


def test_a_handler_hears_of_a_danger_with_the_first_call_and_the_next_handler_when_it_is_given_it() -> None:
    assert hearing(of_danger(TO_STATION)) == [
        ("case-filed", [[WANG]], "texted"),
        ("case-assigned", [[OFFICE]], ""),
        *hearing(of_danger(TO_STATION))[2:],
    ]
    moved = hearing(of_danger(TO_CENTRE, TO_STATION, CALLED))
    assert moved[0] == ("danger-assigned", [[CENTRE]], "texted urgent unless-own")
    linked = hearing(of_danger(TO_CENTRE, TO_STATION, CaseLinked(first_id="case_0")))
    assert linked[0] == ("case-assigned", [[CENTRE]], "")


def test_of_the_same_danger_as_a_neighbours_nobody_is_woken() -> None:
    assert hearing(of_danger(CaseLinked(first_id="case_0"), TO_STATION)) == [
        ("case-linked", [[WANG]], ""),
        ("case-linked-for-staff", [[OFFICE]], ""),
    ]


def gap(hours: float) -> Occurrence[Any]:
    found = RosterGapFound(
        area=STREET, area_name=Words.named("正阳街道"), system="governance", start=AT + timedelta(hours=hours)
    )
    return Occurrence("roster_1:3", found, "roster_1", 3, AT, "system", None)


def test_a_gap_in_a_roster_hear_those_who_fill_it_at_night_only_where_it_begins_within_hours() -> None:
    soon, later = hearing(gap(11)), hearing(gap(13))
    assert (soon[0][0], soon[0][2]) == ("roster-gap", "texted urgent")
    assert [(template, marks) for template, _, marks in later] == [("roster-gap", "texted")]
    assert later[0][1][0] == [post("dispatcher", STREET)]
    assert later[0][1][2] == [post("dispatcher", CITY), post("supervisor", CITY), post("administrator", CITY)]
    at_city = replace(gap(13), event=gap(13).event.model_copy(update={"area": enclosing(STREET, Level.CITY)}))
    assert len(hearing(at_city)[0][1]) == 1
