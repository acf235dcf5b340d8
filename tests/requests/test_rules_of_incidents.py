"""Incidents: cases of one danger wait for the first as long as somebody sees to that, and go up once."""

from services.contracts.requests import cases as contract
from services.contracts.requests.alarms import CaseLinked, IncidentOpened, IncidentReported
from services.requests.cases.alarms import model as alarms
from services.requests.cases.alarms.model import Incident
from services.requests.cases.states.model import State
from services.requests.cases.taking.model import accept_for
from tests.requests.test_life_of_a_case import known
from tests.requests.test_rules_of_calls import AT, MINUTE, WHOLE, danger, returned, run
from tests.requests.town import CENTRE, CITY, GRID, HOME, STATION, STREET


def test_ten_neighbours_in_danger_escalate_once_and_not_each_by_itself() -> None:
    first, others = danger(), [danger() for _ in range(9)]
    alarms.call_next(first, WHOLE, AT)
    for number, other in enumerate(others):
        other.id = f"case_{number + 2}"
        alarms.link(other, first.id)
    assert [escalated for one in (first, *others) for escalated in run(one, WHOLE) if escalated[2] == "owner"] == [
        (40, CITY, "owner")
    ]
    accept_for(first, None, AT + 50 * MINUTE)
    for other in others:
        alarms.accept_with(other, first, AT + 50 * MINUTE)
        returned(other, AT + 60 * MINUTE)
        assert run(other, WHOLE)[0] == (60 + 1 / 3, STREET, "li"), "its own again since somebody had accepted it"


def test_others_wait_only_for_a_case_that_somebody_sees_to() -> None:
    first = danger()
    assert alarms.is_attended(first), "somebody will be called within seconds"
    run(first, WHOLE)
    assert (first.call_at, alarms.is_attended(first)) == (None, True), "it is at the top"
    linked_case = danger()
    linked_case.id = "case_2"
    alarms.link(linked_case, first.id)
    assert not alarms.is_attended(linked_case), "it waits itself"
    incident = Incident.blank("incident_1")
    alarms.report(incident, linked_case.id, None, AT)
    alarms.report(incident, "case_3", linked_case, AT + MINUTE)
    assert incident.case_id == "case_3"


def test_of_two_reports_that_come_in_the_wrong_order_half_an_hour_counts_from_the_filing_of_the_later() -> None:
    incident, ended, first = Incident.blank("incident_1"), danger(), danger()
    alarms.report(incident, "case_1", None, AT + 5 * MINUTE)
    ended.record(contract.CaseCancelled(ended_at=AT))
    alarms.report(incident, "case_2", ended, AT)
    assert (incident.case_id, incident.opened_at) == ("case_2", AT + 5 * MINUTE)
    alarms.report(incident, "case_3", first, AT + 34 * MINUTE)
    assert incident.fresh[-1] == IncidentReported(case_id="case_3", first_id="case_1")


def test_the_same_danger_within_half_an_hour_is_one_incident_as_long_as_the_first_case_is_open() -> None:
    incident, first = Incident.blank("incident_1"), danger()
    alarms.report(incident, "case_1", None, AT)
    alarms.report(incident, "case_1", first, AT)
    alarms.report(incident, "case_2", first, AT + 29 * MINUTE)
    assert incident.fresh == [
        IncidentOpened(case_id="case_1", opened_at=AT),
        IncidentReported(case_id="case_2", first_id="case_1"),
    ]
    alarms.report(incident, "case_3", first, AT + 30 * MINUTE)
    assert incident.case_id == "case_3"
    first.record(contract.CaseCancelled(ended_at=AT))
    alarms.report(incident, "case_4", first, AT + 31 * MINUTE)
    assert incident.case_id == "case_4"
    near = {alarms.incident_id("GAS", area) for area in (HOME, GRID)}
    assert len(near) == 1
    assert near.isdisjoint({alarms.incident_id("GAS", "150702001002"), alarms.incident_id("FIRE", HOME)})


def test_a_linked_case_is_not_called_about_and_is_accepted_with_the_first() -> None:
    first, second = danger(), danger()
    second.id = "case_2"
    alarms.link(second, "case_1")
    assert second.fresh == [CaseLinked(first_id="case_1", handler_id=STATION)]
    alarms.link(second, "case_1")
    alarms.accept_with(second, first, AT)
    assert len(second.fresh) == 1, "the first is not accepted yet"
    assert run(second, WHOLE, hours=5) == []
    accept_for(first, known(CENTRE), AT)
    alarms.accept_with(second, first, AT + MINUTE)
    assert second.fresh[-1] == contract.CaseAccepted(response_seconds=60, in_danger=True)
    assert (second.state, second.holder) == (State.ACCEPTED, CENTRE)
    alarms.call_next(third := danger(), WHOLE, AT)
    alarms.link(third, "case_9")
    assert third.linked_to is None, "somebody was called about it before"
