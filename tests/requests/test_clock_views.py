"""What is shown of the clock of a case: that it stands, and where the holidays are not known yet."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.domain.values import now
from services.requests.cases.intake.commands import FileRequest, file
from tests.requests.town import RESIDENT, STATION_HANDLER, Town, filing


async def test_a_paused_case_says_that_its_clock_stands_in_lists_and_where_it_is_tracked(town: Town) -> None:
    first, filed = await town.file(), await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    until = (now() + timedelta(days=3)).isoformat()
    paused = await town.step(STATION_HANDLER, filed, "pause", {"because": "parts", "reason": "等配件", "until": until})
    assert paused["paused_until"] is not None
    assert paused["due_at"] > filed["due_at"]
    assert paused["remaining_hours"] == pytest.approx(24, abs=0.1)
    tracked = (await town.get(None, f"/v1/track/{filed['number']}", code=filed["tracking_code"])).json()
    listed = (await town.get(STATION_HANDLER, "/v1/requests", sort="due_at")).json()["items"]
    assert [one["id"] for one in listed] == [first["id"], filed["id"]]
    assert {one["paused_until"] for one in (tracked, listed[-1])} == {paused["paused_until"]}
    again = await town.step(STATION_HANDLER, filed, "resume")
    assert (again["paused_until"], again["due_at"][:16]) == (None, filed["due_at"][:16])


async def test_a_limit_in_a_year_whose_holidays_are_not_known_is_said_to_be_uncertain(town: Town) -> None:
    known, unknown = datetime(2026, 6, 1, 2, tzinfo=UTC), datetime(2031, 6, 1, 2, tzinfo=UTC)
    found = [await file(town.context(RESIDENT, at), FileRequest(**filing())) for at in (known, unknown)]
    for case, certain in zip(found, (True, False), strict=True):
        views = [(await town.get(RESIDENT, f"/v1/requests/{case.id}")).json()]
        views += [one for one in (await town.get(RESIDENT, "/v1/requests")).json()["items"] if one["id"] == case.id]
        assert [view["due_certain"] for view in views] == [certain] * 2
