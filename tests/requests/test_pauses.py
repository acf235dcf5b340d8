"""Pauses: a case may wait for something outside, but its clock does not stand for ever, nor once it is late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.words import Words
from services.contracts.requests.cases import CaseAccepted, CaseDispatched, PauseCause
from services.requests.cases.limits import model as limits
from services.requests.cases.model import PAUSABLE, Case
from services.requests.cases.states.model import State
from services.requests.cases.steps import model as steps
from services.requests.cases.steps.model import Step
from tests.requests.test_life_of_a_case import CALENDAR, MONDAY, SECRET, filed
from tests.requests.test_limits import INSTANTS, sweep, swept
from tests.requests.town import STATION, STATION_HANDLER, SUPERVISOR, Town


def taken(at: datetime = MONDAY, **more: Any) -> Case:
    """A case that its station has taken on."""
    case = filed(at, **more)
    case.record(CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("站")))
    case.record(CaseAccepted())
    return case


@given(
    at=INSTANTS, after=st.timedeltas(timedelta(0), timedelta(days=2)), long=st.timedeltas(timedelta(0), timedelta(9))
)
def test_a_pause_moves_every_limit_by_the_working_time_that_it_lasted(
    at: datetime, after: timedelta, long: timedelta
) -> None:
    case, paused = filed(at), at + after
    left = CALENDAR.between(paused, case.due_at)
    limits.pause(case, PauseCause.WEATHER, SECRET, CALENDAR, paused, paused + timedelta(days=20))
    limits.resume(case, CALENDAR, paused + long)
    assert abs(CALENDAR.between(paused + long, case.due_at) - left) <= timedelta(milliseconds=2)
    assert case.due_at >= case.warn_at >= case.filed_at


@given(waits=st.lists(st.timedeltas(timedelta(0), timedelta(days=12)), max_size=9))
def test_all_pauses_together_are_no_longer_than_ten_working_days(waits: list[timedelta]) -> None:
    case, now = taken(resolution_hours=500), MONDAY
    for wait in waits:
        if Step.PAUSE not in steps.allowed(case, STATION_HANDLER, now):
            break
        limits.pause(case, PauseCause.WEATHER, SECRET, CALENDAR, now, limits.pause_end(case, CALENDAR, now, None))
        assert case.paused_until is not None
        now = min(now + wait, case.paused_until)
        limits.resume(case, CALENDAR, now)
    assert case.paused_hours <= PAUSABLE + 0.001
    assert abs(CALENDAR.between(MONDAY, case.due_at) - timedelta(hours=500 + case.paused_hours)) < timedelta(seconds=1)


def test_a_case_that_has_stood_as_long_as_it_may_is_not_paused_again() -> None:
    case = taken(resolution_hours=500)
    limits.pause(case, PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, limits.pause_end(case, CALENDAR, MONDAY, None))
    assert case.paused_until is not None
    limits.tick(case, (), CALENDAR, case.paused_until)
    with pytest.raises(Refusal) as refused:
        steps.expect(case, Step.PAUSE, STATION_HANDLER, MONDAY)
    assert refused.value.code() == "pauses-spent"


def test_a_late_case_is_paused_by_the_supervisor_only() -> None:
    case = taken()
    assert Step.PAUSE in steps.allowed(case, STATION_HANDLER, case.due_at - timedelta(minutes=1))
    with pytest.raises(Refusal) as refused:
        steps.expect(case, Step.PAUSE, STATION_HANDLER, case.due_at)
    assert refused.value.code() == "supervisor-pauses"
    steps.expect(case, Step.PAUSE, SUPERVISOR, case.due_at)


def test_a_clock_that_is_behind_resumes_a_case_as_if_it_had_not_stood() -> None:
    case = taken()
    before = (case.warn_at, case.due_at)
    limits.pause(case, PauseCause.WEATHER, SECRET, CALENDAR, MONDAY, MONDAY + timedelta(days=1))
    limits.resume(case, CALENDAR, MONDAY - timedelta(hours=1))
    assert (case.state, case.warn_at, case.due_at, case.paused_hours) == (State.IN_PROGRESS, *before, 0)


async def test_a_paused_case_does_not_escalate_and_continues_by_itself(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    before = await town.case(filed["id"])
    paused = await town.step(STATION_HANDLER, filed, "pause", {"reason": "等配件"})
    assert paused["paused_until"] is not None
    await sweep(town, before.due_at + timedelta(minutes=1))
    assert (await town.case(filed["id"])).state is State.SUSPENDED
    resumed = await swept(town, filed["id"])
    assert (resumed.state, resumed.level) == (State.IN_PROGRESS, 0)
    assert resumed.due_at > before.due_at


@pytest.mark.parametrize("until", [timedelta(minutes=-1), timedelta(days=60)])
async def test_a_pause_ends_neither_in_the_past_nor_too_late(town: Town, until: timedelta) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    body: dict[str, Any] = {"reason": "等", "until": (datetime.now(UTC) + until).isoformat()}
    refused = await town.post(STATION_HANDLER, f"/v1/requests/{filed['id']}/pause", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "pause-unfit")
