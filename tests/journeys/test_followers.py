"""Following what others asked for, and a calendar that moves the limits of what is open, through all three services."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys.town import COMMUNITY, Town

LAMP: dict[str, Any] = {"item": "GOV-STREETLIGHT", "answers": {"place": "胜利路"}}


def test_who_sees_that_others_asked_for_the_same_follows_and_hears_how_it_goes_on(town: Town) -> None:
    asker, other = town.resident(), town.resident()
    case = town.file(asker, **LAMP, title="王家门口的灯")
    asked = {"item": LAMP["item"], "area": COMMUNITY}
    seen = town.done("GET", "/v1/requests/alike", other, params=asked)["items"]
    assert case["id"] in {one["id"] for one in seen}
    assert "王家" not in json.dumps(seen, ensure_ascii=False)
    assert town.ask("POST", f"/v1/requests/{case['id']}/follow", other).status_code == 204
    town.done("POST", f"/v1/requests/{case['id']}/accept", town.handler(case))
    (notice,) = town.wait(lambda: town.notices(other, case["id"], "followed-"), "the notice that it was taken on")
    assert notice["template"] == "followed-accepted"
    said = json.dumps(notice, ensure_ascii=False)
    assert "路灯" in said and case["number"] not in said and "王家" not in said
    followed = town.done("GET", "/v1/requests/followed", other)["items"]
    assert [(one["id"], one["state"]) for one in followed] == [(case["id"], "accepted")]
    assert town.ask("GET", f"/v1/requests/{case['id']}", other).status_code == 404


def test_new_holidays_move_the_limit_of_what_is_open_and_its_resident_hears_of_it(town: Town) -> None:
    resident, administrator = town.resident(), town.staff("administrator")
    case = town.file(resident)
    before = town.done("GET", "/v1/calendar")
    times = {name: before[name] for name in before if name not in ("version", "time_zone", "set_at")}
    first, last = [(datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (1, 21)]
    closed = times | {
        "covered_until": "2029-12-31",
        "holidays": [*(one for one in times["holidays"] if one["end"] < first), holiday(first, last)],
        "working_days": [one for one in times["working_days"] if one < first],
    }
    try:
        town.done("PUT", "/v1/calendar", administrator, closed)
        town.wait(lambda: town.notices(resident, case["id"], "case-due-moved"), "the notice of another limit")
    finally:
        town.done("PUT", "/v1/calendar", administrator, times)
    after = town.done("GET", f"/v1/requests/{case['id']}", resident)
    assert (after["due_at"] > case["due_at"], after["due_certain"]) == (True, True)


def holiday(first: str, last: str) -> dict[str, Any]:
    """One on these days."""
    return {"start": first, "end": last, "name": {"zh": "长假", "en": "Long holiday"}}
