"""A case: what each event makes of it, when its clock rings next, and who sees it."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.contracts.requests.dangers import DangerUnfounded
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from tests.requests.test_life_of_a_case import CALENDAR, MONDAY, SECRET, filed
from tests.requests.town import CITY, COUNTY, HOME, STATION, STREET

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIMITS = contract.LimitsSet(respond_by=MONDAY + HOUR, warn_at=MONDAY + 2 * HOUR, due_at=MONDAY + 3 * HOUR)
GIVEN = contract.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("站", "Station"))
UP = contract.CaseEscalated(
    level=1, owner_id="organisation_x", owner_place=STREET, because="overdue", next_at=MONDAY + 9 * HOUR
)
RESUMED = contract.CaseResumed(
    respond_by=MONDAY + 4 * HOUR,
    warn_at=MONDAY + 5 * HOUR,
    due_at=MONDAY + 6 * HOUR,
    next_at=MONDAY + 7 * HOUR,
    paused_hours=3.5,
)
PAUSED = contract.CasePaused(
    because="weather", reason=SECRET, paused_at=MONDAY, until=MONDAY + DAY, due_at=MONDAY + 2 * DAY
)
RESOLVED = contract.CaseResolved(
    outcome="fixed", answer=Sealed("1.done"), resolved_at=MONDAY + HOUR, resolution_seconds=3600
)
CLOSED = contract.CaseClosed(reason="fixed", ended_at=MONDAY + 2 * HOUR)
CANCELLED = contract.CaseCancelled(ended_at=MONDAY + 2 * HOUR)
REJECTED = contract.CaseRejected(reason="not_our_duty", answer=SECRET, ended_at=MONDAY + 2 * HOUR)
OVER = {"retained_since": MONDAY + 2 * HOUR, "calendar_version": None}
NOTHING_YET = (
    *("handler_id", "handler_name", "tier", "paused_at", "paused_until", "due_unpaused", "owner_id", "owner_place"),
    *("forgotten", "retained_since", "escalates_from", "answer", "outcome", "resolved_at", "closed_because", "score"),
    *("solved", "urged_at", "calendar_version", "call_place", "call_at", "linked_to"),
)


def after(*events: Event) -> Case:
    """A case, filed, with its limits, to which this has happened."""
    case = filed(MONDAY)
    for event in (LIMITS, *events):
        case.record(event)  # type: ignore[arg-type]
    return case


def changed(before: Case, event: Any) -> dict[str, Any]:
    """What an event changes, but for the clock."""
    was = before.as_stored()
    before.record(event)
    now = before.as_stored()
    return {name: value for name, value in now.items() if value != was[name] and name != "next_tick_at"}


def test_a_filed_case_is_new_and_everything_else_is_yet_to_come() -> None:
    case = Case.blank("case_1")
    event = filed(MONDAY).fresh[0]
    case.record(event)  # type: ignore[arg-type]
    nothing = dict.fromkeys(NOTHING_YET)
    assert case.as_stored() == event.model_dump() | nothing | {
        "state": State.NEW,
        "county": COUNTY,
        "announced": False,
        "forced": False,
        "tried": [],
        "returns": 0,
        "waits_since": MONDAY,
        "was_accepted": False,
        "respond_by": MONDAY,
        "warn_at": MONDAY,
        "due_at": MONDAY,
        "responded": False,
        "warned": False,
        "overdue": False,
        "paused_hours": 0.0,
        "level": 0,
        "next_tick_at": MONDAY,
        "reopened": 0,
        "urged": 0,
        "unfounded": False,
        "followers": [],
        "left": [],
        "calls": 0,
        "called": [],
    }
    assert case.places() == (CITY, COUNTY, STREET, HOME)
    assert case.subjects() == ("person_wang",)


HANDED = {"handler_id": STATION, "handler_name": {"zh": "站", "en": "Station"}, "tier": "station", "announced": True}
NOBODYS: dict[str, Any] = {**dict.fromkeys(HANDED), "announced": False}
TO_TEAM = contract.CaseDispatched(tier="team", handler_id="team_1", handler_name=Words.named("队"))
FORCED = GIVEN.model_copy(update={"forced": True, "respond_by": MONDAY + 8 * HOUR})
BACK = contract.CaseReturned(reason=SECRET, times=1, respond_by=MONDAY + 8 * HOUR)
AGAIN = contract.CaseReopened(reason=SECRET, times=1, reopened_at=MONDAY + DAY)
CHANGES: list[tuple[list[Event], Event, dict[str, Any]]] = [
    ([], contract.CaseVerified(), {"state": "verified"}),
    ([TO_TEAM], contract.CaseBooked(handler_id="team_1", handler_name=Words.named("队")), {"announced": True}),
    ([TO_TEAM], contract.CaseTeamAway(handler_id="team_1", handler_name=Words.named("队")), {}),
    ([], GIVEN, {"state": "dispatched", **HANDED, "tried": [STATION]}),
    (
        [],
        FORCED,
        {"state": "dispatched", **HANDED, "tried": [STATION], "forced": True, "respond_by": MONDAY + 8 * HOUR},
    ),
    (
        [FORCED, contract.CaseAccepted()],
        contract.CaseUnassigned(reason="x"),
        {"state": "new", **NOBODYS, "forced": False, "responded": False},
    ),
    ([contract.CaseVerified()], contract.CaseUnassigned(reason="x"), {}),
    ([], contract.CaseAccepted(), {"state": "accepted", "responded": True, "was_accepted": True}),
    ([], contract.CaseStarted(), {"state": "in_progress"}),
    (
        [],
        PAUSED,
        {
            "state": "suspended",
            "paused_at": MONDAY,
            "paused_until": MONDAY + DAY,
            "due_at": MONDAY + 2 * DAY,
            "due_unpaused": LIMITS.due_at,
        },
    ),
    ([GIVEN], BACK, {"state": "returned", **NOBODYS, "returns": 1, "respond_by": MONDAY + 8 * HOUR}),
    ([GIVEN], contract.CaseReturned(reason=SECRET, times=2), {"state": "returned", **NOBODYS, "returns": 2}),
    ([], contract.CaseWarned(due_at=MONDAY), {"warned": True}),
    ([], contract.CaseOverdue(due_at=MONDAY), {"warned": True, "overdue": True}),
    (
        [],
        UP,
        {
            "level": 1,
            "owner_id": "organisation_x",
            "owner_place": STREET,
            "escalates_from": MONDAY + 9 * HOUR,
        },
    ),
    (
        [],
        RESOLVED,
        {
            "state": "resolved",
            "outcome": "fixed",
            "answer": "1.done",
            "resolved_at": MONDAY + HOUR,
            "calendar_version": None,
        },
    ),
    ([], contract.CaseCalledBack(reached=True), {"state": "callback"}),
    ([], CLOSED, {"state": "closed", "closed_because": "fixed", **OVER}),
    ([], CANCELLED, {"state": "cancelled", "closed_because": "withdrawn", **OVER}),
    ([], REJECTED, {"state": "rejected", "closed_because": "not_our_duty", "answer": SECRET, **OVER}),
    ([CLOSED], contract.CaseForgotten(because="term"), {"forgotten": "term", "retained_since": None}),
    ([], contract.CaseRated(score=4, solved=True), {"score": 4, "solved": True}),
    ([], contract.CaseUrged(times=2, urged_at=MONDAY + HOUR), {"urged": 2, "urged_at": MONDAY + HOUR}),
    ([], DangerUnfounded(reason=SECRET), {"unfounded": True}),
    ([], contract.CommentAdded(text=SECRET, public=True, author_id="x", by_resident=True, from_resident=True), {}),
]


@pytest.mark.parametrize(("before", "event", "wanted"), CHANGES, ids=lambda one: type(one).__name__)
def test_an_event_changes_this_of_a_case_and_nothing_else(
    before: list[Event], event: Event, wanted: dict[str, Any]
) -> None:
    assert changed(after(*before), event) == wanted


def test_a_resident_waits_since_the_filing_or_the_last_reopening() -> None:
    case = after(GIVEN)
    assert case.waited(MONDAY + 2 * HOUR) == 2 * 3600
    assert case.waited(MONDAY - HOUR) == 0  # by another clock
    for event in (contract.CaseAccepted(), RESOLVED, AGAIN):
        case.record(event)
    assert (case.waited(MONDAY + DAY + HOUR), case.was_accepted) == (3600, False)


def test_going_on_moves_the_limits_and_adds_to_the_time_that_it_stood() -> None:
    case = after(PAUSED, RESUMED, PAUSED)
    assert changed(case, RESUMED.model_copy(update={"paused_hours": 1.5})) == {
        "state": "in_progress",
        "paused_at": None,
        "paused_until": None,
        "due_unpaused": None,
        "due_at": MONDAY + 6 * HOUR,
        "paused_hours": 5.0,
    }
    assert (case.respond_by, case.warn_at, case.due_at) == tuple(MONDAY + n * HOUR for n in (4, 5, 6))
    assert case.escalates_from == MONDAY + 7 * HOUR


def test_new_limits_begin_the_clock_again() -> None:
    case = after(contract.CaseAccepted(), contract.CaseOverdue(due_at=MONDAY), UP)
    later = LIMITS.model_copy(update={"respond_by": MONDAY + DAY, "due_at": MONDAY + 3 * DAY, "calendar_version": 1})
    assert changed(case, later) == {
        **later.model_dump(exclude={"warn_at"}),
        "responded": False,
        "warned": False,
        "overdue": False,
        "escalates_from": None,
    }


def test_a_reopened_case_forgets_how_it_ended_and_how_far_it_had_escalated_but_not_who_had_it() -> None:
    case = after(
        FORCED,
        BACK,
        PAUSED,
        RESUMED,
        GIVEN,
        contract.CaseAccepted(),
        UP,
        RESOLVED,
        contract.CaseRated(score=1, solved=False),
        CLOSED,
    )
    assert changed(case, AGAIN) == {
        **NOBODYS,
        **dict.fromkeys(["owner_id", "owner_place", "outcome", "closed_because", "resolved_at", "score", "solved"]),
        "retained_since": None,
        "state": "verified",
        "responded": False,
        "level": 0,
        "returns": 0,
        "paused_hours": 0.0,
        "reopened": 1,
        "waits_since": MONDAY + DAY,
        "was_accepted": False,
    }
    assert (case.tried, case.answer) == ([STATION], "1.done")


def test_anyone_who_gets_a_case_again_stands_last_among_those_who_had_it() -> None:
    other = GIVEN.model_copy(update={"handler_id": "organisation_y"})
    assert after(GIVEN, other, GIVEN).tried == ["organisation_y", STATION]


def test_what_is_over_is_neither_late_nor_paused() -> None:
    for end in (RESOLVED, CLOSED, CANCELLED):
        case = after(contract.CaseOverdue(due_at=MONDAY), PAUSED, end)
        assert (case.overdue, case.paused_at, case.paused_until) == (False, None, None)


CLOCK: list[tuple[list[Event], timedelta | None]] = [
    ([], HOUR),  # climbs where nobody takes it on
    ([GIVEN, contract.CaseAccepted()], 2 * HOUR),  # is warned
    ([GIVEN, contract.CaseAccepted(), contract.CaseWarned(due_at=MONDAY)], 3 * HOUR),  # is overdue, and climbs
    ([contract.CaseOverdue(due_at=MONDAY), UP], 9 * HOUR),  # rests before it climbs again
    ([UP], 2 * HOUR),
    ([contract.CaseOverdue(due_at=MONDAY), UP.model_copy(update={"owner_place": CITY})], None),  # is at the top
    ([PAUSED], DAY),
    ([RESOLVED], HOUR + 15 * DAY),
    ([RESOLVED, contract.CaseCalledBack(reached=False)], HOUR + 15 * DAY),
    ([contract.CaseCalledBack(reached=False)], None),
    ([CLOSED], None),
    ([CANCELLED], None),
]


@pytest.mark.parametrize(("events", "rings"), CLOCK)
def test_the_clock_of_a_case_rings_at_the_next_of_its_marks(events: list[Event], rings: timedelta | None) -> None:
    assert after(*events).next_tick_at == (None if rings is None else MONDAY + rings)


def test_a_case_escalates_when_its_limit_ends_and_not_before_its_rest_is_over() -> None:
    waiting, responded = after(GIVEN), after(GIVEN, contract.CaseAccepted())
    assert (waiting.escalates_at, responded.escalates_at) == (MONDAY + HOUR, MONDAY + 3 * HOUR)
    late = after(GIVEN.model_copy(update={"respond_by": MONDAY + 5 * HOUR}))
    assert late.escalates_at == MONDAY + 3 * HOUR, "nobody has longer to take it on than the case itself has"
    rested = after(UP.model_copy(update={"next_at": MONDAY + HOUR / 2}))
    assert rested.escalates_at == MONDAY + HOUR, "a rest that is over holds nothing back"
    assert (after(UP).at_top, after(UP.model_copy(update={"owner_place": CITY})).at_top) == (False, True)


def test_anyone_who_gets_it_now_has_the_first_hours_again_but_not_beyond_the_end() -> None:
    case = filed(MONDAY)
    assert case.new_respond_by(CALENDAR, MONDAY) == CALENDAR.add(MONDAY, 4)
    assert case.new_respond_by(CALENDAR, case.due_at - HOUR) == case.due_at


@pytest.mark.parametrize(("stood", "left"), [(0.0, 80.0), (79.0, 1.0), (80 - 1 / 60, 1 / 60), (79.99, 0.0), (90, 0.0)])
def test_less_than_a_minute_of_pause_is_none(stood: float, left: float) -> None:
    case = filed(MONDAY)
    case.paused_hours = stood - 1e-9 if left == 1 / 60 else stood
    assert case.pausable_hours == pytest.approx(left)
