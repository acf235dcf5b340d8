"""A case of danger: its limits run on the clock, at night and on holidays, and no calendar moves them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.schedule.calendar import RoundTheClock
from services.contracts.requests.cases import LimitsSet
from services.requests.cases.limits import model as limits
from services.requests.cases.model import Case
from services.requests.catalogue.commands import PublishItem, publish_item
from tests.requests.test_life_of_a_case import filed
from tests.requests.town import ADMINISTRATOR, STATION_HANDLER, Town, field, item

ZONE = ZoneInfo("Europe/Berlin")
"""A zone in which an hour is missing in spring, and is there twice in autumn."""
CLOCK = RoundTheClock.in_zone(ZONE)
SATURDAY_NIGHT = datetime(2026, 11, 28, 14, 54, tzinfo=UTC)
BEGIN = datetime(2026, 1, 1, tzinfo=ZONE)
instants = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda passed: BEGIN + passed)


@given(instants, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_every_minute_counts_once_also_when_clocks_are_changed(start: datetime, passed: timedelta) -> None:
    assert CLOCK.add(start, passed) == start.astimezone(UTC) + passed
    assert CLOCK.between(start.astimezone(UTC), CLOCK.add(start, passed)) == passed
    assert CLOCK.is_working(start)
    assert CLOCK.covers(start)


def test_time_on_the_clock_is_not_taken_away_and_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="taken away"):
        CLOCK.add(SATURDAY_NIGHT, -1)
    with pytest.raises(ValueError, match="zone"):
        CLOCK.add(SATURDAY_NIGHT.replace(tzinfo=None), 1)


def test_a_case_of_danger_is_to_be_accepted_within_its_minutes_and_done_within_its_hours() -> None:
    case = filed(SATURDAY_NIGHT, first_response_hours=2, resolution_hours=10, accept_within_minutes=10)
    case.fresh.clear()
    limits.set_limits(case, CLOCK, SATURDAY_NIGHT)
    assert case.fresh == [
        LimitsSet(
            respond_by=SATURDAY_NIGHT + timedelta(minutes=10),
            warn_at=SATURDAY_NIGHT + timedelta(hours=8),
            due_at=SATURDAY_NIGHT + timedelta(hours=10),
            calendar_version=-1,
        )
    ]
    assert case.is_danger
    assert case.new_respond_by(CLOCK, SATURDAY_NIGHT + timedelta(hours=1)) == SATURDAY_NIGHT + timedelta(minutes=70)


async def _offer(town: Town) -> None:
    asked = field("danger", "single", "no", "yes")
    gas = item("GAS", "station", accept_within_minutes=10, danger_answers=["yes"], form=[asked])
    await publish_item(town.context(ADMINISTRATOR), "GAS", PublishItem.model_validate(gas))


async def test_who_is_in_danger_is_answered_on_the_clock_and_others_on_working_time(town: Town) -> None:
    await _offer(town)
    shown = (await town.get(None, "/v1/catalogue/GAS")).json()
    assert (shown["accept_within_minutes"], shown["danger_answers"]) == (10, ["yes"])
    danger = await town.file(item="GAS", answers={"danger": "yes"})
    calm = await town.file(item="GAS", answers={"danger": "no"})
    assert [danger["accept_within_minutes"], calm["accept_within_minutes"]] == [10, None]
    assert (danger["due_certain"], round(danger["remaining_hours"])) == (True, 24)
    case: Case = await town.case(danger["id"])
    assert case.respond_by - case.filed_at < timedelta(minutes=10, seconds=5)
    assert (case.due_at - case.filed_at) < timedelta(hours=24, seconds=5)
    assert (case.calendar_version, (await town.case(calm["id"])).calendar_version) == (-1, 0)
    for step, body in (("accept", None), ("start", None), ("pause", {"reason": "等配件"}), ("resume", None)):
        after = await town.step(STATION_HANDLER, danger, step, body)
    assert after["due_certain"]
    moved = (await town.case(danger["id"])).due_at - case.due_at
    assert timedelta(0) <= moved < timedelta(seconds=30)
