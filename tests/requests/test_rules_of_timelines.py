"""Timelines, waiting times and numbers: what is read from a case's history."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.chassis.domain.events import Event, Recorded
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.requests import cases as contract
from services.contracts.requests import tracking
from services.requests.cases.model import Case
from services.requests.cases.timelines import model
from services.requests.cases.timelines.model import DISPLAYS, Doer
from services.requests.cases.tracking import model as numbers
from tests.requests.test_life_of_a_case import MONDAY, SECRET, filed
from tests.requests.test_rules_of_a_case import GIVEN, LIMITS, PAUSED, RESOLVED, RESUMED, UP

REOPENED = contract.CaseReopened(reason=SECRET, times=1, by_resident=True, reopened_at=MONDAY)
FILED = filed(MONDAY).fresh[0]
assert isinstance(FILED, contract.CaseFiled)


def history(*events: tuple[Event, str] | Event) -> Iterator[Recorded]:
    """What was recorded, an hour apart, each for a request of its own unless another cause is named."""
    for version, one in enumerate(events, 1):
        event, cause = one if isinstance(one, tuple) else (one, f"http:{version}")
        data = event.model_dump(mode="json")
        yield Recorded(
            at=MONDAY + version * timedelta(hours=1),
            by="somebody",
            city="hulunbuir",
            cause=cause,
            fingerprint=None,
            trace=None,
            id=f"case_1:{version}",
            type=event.type_name(),
            schema=1,
            version=version,
            published=True,
            data=data,
            private={},
            hash="",
        )


def doer(*events: tuple[Event, str] | Event) -> str:
    """Who did the last of these."""
    return [*model.read(history(*events))][-1].doer.value


def comment(*, by_resident: bool, public: bool = True) -> contract.CommentAdded:
    return contract.CommentAdded(
        text=SECRET, public=public, author_id="x", by_resident=by_resident, from_resident=by_resident
    )


DOERS: list[tuple[Event, str]] = [
    (FILED, "resident"),
    (FILED.model_copy(update={"channel": "on_behalf"}), "staff"),
    (LIMITS, "system"),
    (contract.CaseVerified(), "staff"),
    (GIVEN, "staff"),
    (contract.CaseUnassigned(reason="x"), "system"),
    (contract.CaseAccepted(), "handler"),
    (contract.CaseStarted(), "handler"),
    (PAUSED, "handler"),
    (RESUMED, "handler"),
    (contract.CaseReturned(reason=SECRET, times=1), "handler"),
    (RESOLVED, "handler"),
    (contract.CaseCalledBack(reached=True), "staff"),
    (contract.CaseRated(score=5, solved=True), "resident"),
    (REOPENED, "resident"),
    (REOPENED.model_copy(update={"by_resident": False}), "staff"),
    (contract.CaseClosed(reason="fixed", ended_at=MONDAY), "staff"),
    (contract.CaseCancelled(by_resident=True, ended_at=MONDAY), "resident"),
    (contract.CaseCancelled(ended_at=MONDAY), "staff"),
    (contract.CaseRejected(reason="x", answer=SECRET, ended_at=MONDAY), "staff"),
    (contract.CaseUrged(times=1, urged_at=MONDAY, by_resident=True), "resident"),
    (contract.CaseUrged(times=1, urged_at=MONDAY), "staff"),
    (comment(by_resident=True), "resident"),
    (comment(by_resident=False), "staff"),
    (contract.CaseWarned(due_at=MONDAY), "system"),
    (contract.CaseOverdue(due_at=MONDAY), "system"),
    (UP, "system"),
]


@pytest.mark.parametrize(("event", "who"), DOERS, ids=lambda one: type(one).__name__)
def test_a_timeline_says_who_did_it(event: Event, who: str) -> None:
    assert doer(event) == who


def test_what_no_request_asked_for_the_system_did() -> None:
    closed, forgotten = contract.CaseClosed(reason="fixed", ended_at=MONDAY), contract.CaseForgotten(because="term")
    assert doer((RESUMED, "timer:case-clock")) == doer((closed, "event:x")) == "system"
    assert doer((forgotten, "timer:forget-over")) == "system"


def test_the_rules_give_a_case_in_the_request_that_files_or_reopens_it() -> None:
    assert doer((FILED, "http:a"), (GIVEN, "http:a")) == "system"
    assert doer((FILED, "http:a"), (GIVEN, "http:b")) == "staff"
    assert doer((FILED, "http:a"), (REOPENED, "http:b"), (GIVEN, "http:b")) == "system"
    assert doer((FILED, "http:a"), (REOPENED, "http:b"), (GIVEN, "http:a")) == "staff"
    assert doer((FILED, "http:a"), (contract.CaseVerified(), "http:a")) == "staff"


def test_a_case_that_its_resident_calls_settled_is_closed_by_the_resident() -> None:
    rated, closed = contract.CaseRated(score=5, solved=True), contract.CaseClosed(reason="fixed", ended_at=MONDAY)
    assert doer((rated, "http:a"), (closed, "http:a")) == "resident"
    assert doer((rated, "http:a"), (closed, "http:b")) == "staff"
    assert doer((rated, "http:a"), (contract.CaseVerified(), "http:a")) == "staff"


def test_every_entry_names_who_had_the_case_then() -> None:
    other = contract.CaseDispatched(tier="centre", handler_id="organisation_y", handler_name=Words.named("中心"))
    shown = [*model.read(history(FILED, GIVEN, contract.CaseAccepted(), other))]
    handlers = [one.handler and (one.handler.zh, one.handler.en) for one in shown]
    assert handlers == [None, ("站", "Station"), ("站", "Station"), ("中心", "中心")]
    assert [one.event for one in shown] == [FILED, GIVEN, contract.CaseAccepted(), other]
    assert [one.recorded.version for one in shown] == [1, 2, 3, 4]
    assert [one.display for one in shown] == [DISPLAYS[type(one.event)] for one in shown]


def test_warnings_and_notes_among_staff_are_for_the_citys_own_people() -> None:
    inside = {type(event).__name__ for event, _ in DOERS if model.is_inside(event)}
    assert inside == {"CaseWarned"}
    assert model.is_inside(comment(by_resident=False, public=False))
    assert not model.is_inside(comment(by_resident=False))


SHOWN = {
    "CaseForgotten": ("because",),
    "CaseFiled": (),
    "LimitsSet": ("due_at",),
    "LimitsMoved": ("due_at",),
    "CaseDispatched": ("tier", "handler_name", "forced"),
    "CaseUnassigned": (),
    "CaseAccepted": (),
    "CaseStarted": (),
    "CasePaused": ("until", "because"),
    "CaseResumed": ("due_at",),
    "CaseReturned": ("times",),
    "CaseResolved": ("outcome", "answer"),
    "CaseCalledBack": ("reached", "solved", "satisfied"),
    "CaseRated": ("score", "solved", "remark"),
    "CaseReopened": ("times", "reason"),
    "CaseClosed": ("reason",),
    "CaseCancelled": ("reason",),
    "CaseRejected": ("reason", "answer"),
    "CaseUrged": ("times",),
    "CommentAdded": ("public", "from_resident", "text"),
    "CaseOverdue": ("due_at",),
    "CaseEscalated": ("level", "owner_place", "because"),
}
"""What everybody who sees a case may read of each event: nothing that is not here leaves the house by a timeline."""


SHOWN_TO_STAFF = {
    "CaseFollowed": (),
    "CaseUnfollowed": (),
    "DangerUnfounded": ("reason",),
    "CaseBooked": ("handler_name",),
    "CaseTeamAway": ("handler_name",),
    "CasePaused": ("until", "because", "reason"),
    "CaseReturned": ("times", "reason"),
    "CaseCalledBack": ("reached", "solved", "satisfied", "note"),
    "CaseWarned": ("due_at",),
    "CaseCalled": ("step", "place", "backup", "next_at"),
    "CaseLinked": (),
}
"""What only staff read, besides notes among themselves."""


@pytest.mark.parametrize("staff", [False, True])
def test_a_timeline_shows_this_of_each_event_and_nothing_else(*, staff: bool) -> None:
    assert {
        kind.__name__: (*display.facts, *filter(None, [display.words_for(staff=staff)]))
        for kind, display in DISPLAYS.items()
        if staff or not display.inside
    } == SHOWN | (SHOWN_TO_STAFF if staff else {})
    assert set(Case.events.values()) - set(DISPLAYS) == {contract.CaseVerified}, "it has no words and no facts"


def test_words_are_sealed_fields_and_facts_are_not() -> None:
    for kind, display in DISPLAYS.items():
        sealed = {name for name, field in kind.model_fields.items() if "Sealed" in str(field.annotation)}
        assert not sealed & set(display.facts), kind
        assert {display.words, display.staff_words} - {None} <= sealed, kind


def test_somebody_did_it_and_by_no_name() -> None:
    assert [doer.value for doer in Doer] == ["resident", "follower", "handler", "staff", "system"]


def test_the_check_character_follows_luhns_rule_modulo_32() -> None:
    """Worked by hand: from the right every second value is doubled, and two digits of base 32 are added."""
    assert tracking.check("1") == "Y"  # 2 doubled from 1: 32 - 2 = 30
    assert tracking.check("10") == "Z"  # 0 doubled is 0, then 1: 32 - 1 = 31
    assert tracking.check("Z") == "1"  # 31 doubled is 62 = (1, 30): 31, and 32 - 31 = 1
    assert tracking.check("G") == "Z"  # 16 doubled is 32 = (1, 0): 1
    assert tracking.check("00000000000") == "0"


def test_two_neighbours_changed_round_show() -> None:
    body = "2611237K3QX"
    whole = body + tracking.check(body)
    for at in range(11):
        swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
        assert swapped == whole or tracking.normal(swapped) is None


def test_a_number_has_a_day_five_characters_and_a_check() -> None:
    at = datetime(2026, 11, 22, 17, tzinfo=UTC)
    found = [*numbers.candidates("case_7k3qx0123456789abcdef", at, ZoneInfo("Asia/Shanghai"))]
    assert [number.split("-")[1] for number in found] == ["7K3QX", "01234", "56789", "ABCDE"]
    assert [*numbers.candidates("case_7k3q", at, ZoneInfo("Asia/Shanghai"))] == []
    for number in found:
        assert re.fullmatch(rf"261123-[{tracking.ALPHABET}]{{5}}-[{tracking.ALPHABET}]", number)
        assert tracking.normal(number) == number
        assert tracking.normal(number[:-1]) is None
        assert tracking.normal(f"{number}0") is None


def test_the_answers_of_a_case_are_how_it_ended_and_what_staff_wrote_for_all() -> None:
    said: dict[str, Any] = {"public": True, "author_id": "x", "by_resident": False, "from_resident": False}
    events = [
        FILED,
        RESOLVED,
        contract.CommentAdded(**said, text=Sealed("1.staff")),
        contract.CommentAdded(**{**said, "public": False}, text=Sealed("1.inside")),
        contract.CommentAdded(**{**said, "by_resident": True, "from_resident": True}, text=Sealed("1.resident")),
        contract.CaseRejected(reason="x", answer=Sealed("1.no"), ended_at=MONDAY),
    ]
    answers = [("answer", "1.done"), ("text", "1.staff"), ("answer", "1.no")]
    assert [*numbers.answers(history(*events))] == answers
