"""Lists: only what one may see, every filter along an index, pages without gap or repeat."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.scope import Actor
from services.requests.cases.states.model import State
from tests.requests.town import (
    ADMINISTRATOR,
    BARE,
    CENTRE,
    CITY,
    DISPATCHER,
    HOME,
    NEIGHBOUR,
    RESIDENT,
    STATION,
    STATION_HANDLER,
    Town,
    staff,
)

MANY = 900


async def crowd(town: Town, others: int = 90) -> None:
    """Many cases, of all states, items, places and times, put there as documents: nothing here reads histories."""
    filed = await town.file()
    model = await town.container.mongo.find_one("cases", {"_id": filed["id"]})
    assert model is not None
    start = datetime(2026, 1, 1, tzinfo=UTC)
    documents = []
    for number, state, area in zip(
        range(MANY), itertools.cycle(State), itertools.cycle((HOME, BARE, "150702002001", "150721101001", HOME))
    ):
        at = start + timedelta(hours=number * 7919 % MANY)
        changed = {
            "state": state.value,
            "number": f"261129-{number:05}-0",
            "item": f"ITEM-{number % 7}",
            "area": area,
            "resident_id": f"person_{number % others}" if others and number % 30 else "person_wang",
            "handler_id": STATION if area == HOME else CENTRE,
            "overdue": number % 4 == 0,
            "filed_at": at,
            "due_at": at + timedelta(hours=number % 50),
            "county": area[:6],
        }
        document = {**model, "_id": f"case_{number:04}", "state": {**model["state"], **changed}}
        document["key"] = {"wrapped": None}  # that of the model opens nothing else
        documents.append({**document, "under": [area[:4], area[:6], area[:9], area]})
    await town.container.mongo.command("insert", "cases", documents=documents)


async def test_pages_follow_one_another_without_gap_or_repeat(town: Town) -> None:
    await crowd(town, others=0)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await town.get(DISPATCHER, "/v1/requests", sort="due_at", limit=50, area=HOME, **after)).json()
        seen += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    wanted = await town.container.mongo.find("cases", {"under": HOME}, show={"_id": 1}, limit=2000)
    assert len(seen) == len(set(seen)) == len(wanted) > 100


async def test_everybody_lists_what_is_theirs(town: Town) -> None:
    mine, theirs = await town.file(), await town.file(NEIGHBOUR, area=BARE)

    async def listed(actor: Actor, **filters: Any) -> set[str]:
        answer = await town.get(actor, "/v1/requests", **filters)
        return {line["id"] for line in answer.json()["items"]}

    assert await listed(RESIDENT) == {mine["id"]}
    assert await listed(STATION_HANDLER) == {mine["id"]}
    assert await listed(DISPATCHER) == {mine["id"], theirs["id"]}
    assert await listed(DISPATCHER, area=BARE) == {theirs["id"]}
    assert await listed(DISPATCHER, handler=STATION) == {mine["id"]}
    assert await listed(RESIDENT, area=CITY) == {mine["id"]}
    assert await listed(RESIDENT, handler=CENTRE) == set()
    assert await listed(STATION_HANDLER, area=BARE) == set()
    assert await listed(staff("dispatcher", "150721"), area=HOME) == set()
    assert (await town.get(ADMINISTRATOR, "/v1/requests")).status_code == 403
    assert (await town.get(None, "/v1/requests")).status_code == 401


async def test_a_line_shows_title_handler_and_limit_in_order(town: Town) -> None:
    first, second = await town.file(title="先"), await town.file(title="后")
    newest = (await town.get(RESIDENT, "/v1/requests")).json()["items"]
    oldest = (await town.get(RESIDENT, "/v1/requests", sort="filed_at", state="dispatched")).json()["items"]
    assert [line["title"] for line in newest] == ["后", "先"]
    assert [line["id"] for line in oldest] == [first["id"], second["id"]]
    assert newest[0]["handler"]["zh"] == "正阳社区服务站"


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"after": "x"}, "cursor-invalid"),
        ({"limit": 201}, "invalid"),
        ({"state": "somewhere"}, "invalid"),
        ({"colour": "red"}, "invalid"),
        ({"sort": "due_at", "filed_after": "2026-01-01T00:00:00Z"}, "filters-unfit"),
    ],
)
async def test_a_list_that_cannot_be_given_is_refused(town: Town, filters: dict[str, Any], code: str) -> None:
    refused = await town.get(DISPATCHER, "/v1/requests", **filters)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_badges_count_what_is_ones_own_by_state(town: Town) -> None:
    mine = await town.file()
    await town.file(NEIGHBOUR, area=BARE)
    await town.step(STATION_HANDLER, mine, "accept")

    async def counted(actor: Actor, **asked: Any) -> dict[str, int]:
        answer = await town.get(actor, "/v1/requests/counts", by="state", **asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["by"] == "state"
        return {one["value"]: one["count"] for one in answer.json()["counts"] if one["count"]}

    assert await counted(RESIDENT) == {"accepted": 1}
    assert await counted(DISPATCHER) == {"accepted": 1, "dispatched": 1}
    assert await counted(DISPATCHER, area=BARE) == {"dispatched": 1}
    assert await counted(DISPATCHER, state="accepted") == {"accepted": 1}
    assert await counted(STATION_HANDLER, overdue=True) == {}
    late = (await town.get(DISPATCHER, "/v1/requests/counts", by="overdue")).json()["counts"]
    assert late == [{"value": "false", "count": 2, "more": False}, {"value": "true", "count": 0, "more": False}]
    assert (await town.get(ADMINISTRATOR, "/v1/requests/counts", by="state")).status_code == 403
    for wrong in ({}, {"by": "item"}, {"by": "state", "limit": 5}):
        assert (await town.get(DISPATCHER, "/v1/requests/counts", **wrong)).status_code == 422


async def test_what_is_ones_own_in_two_ways_is_counted_and_listed_once(town: Town) -> None:
    filed = await town.file()
    both = Actor("both", frozenset({"resident", "handler"}), (HOME,), (STATION,), "person_wang")
    listed = (await town.get(both, "/v1/requests")).json()["items"]
    assert [line["id"] for line in listed] == [filed["id"]]
    counts = (await town.get(both, "/v1/requests/counts", by="state")).json()["counts"]
    assert sum(one["count"] for one in counts) == 1


async def test_a_badge_counts_up_to_a_thousand_and_says_that_there_are_more(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.storage.listings.MOST_COUNTED", 20)
    await crowd(town, others=0)
    counts = (await town.get(DISPATCHER, "/v1/requests/counts", by="state")).json()["counts"]
    assert {(one["count"], one["more"]) for one in counts} == {(20, True)}


async def test_a_cursor_belongs_to_its_list(town: Town) -> None:
    await town.file()
    await town.file()
    cursor = (await town.get(RESIDENT, "/v1/requests", limit=1)).json()["next"]
    assert (await town.get(RESIDENT, "/v1/requests", limit=1, after=cursor)).status_code == 200
    other = await town.get(RESIDENT, "/v1/requests", limit=1, after=cursor, sort="due_at")
    assert other.json()["code"] == "cursor-invalid"


def wide(text: str) -> str:
    """In full width, as some keyboards type it."""
    return text.translate({sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)})


SPELLINGS: list[Callable[[str], str]] = [str, str.lower, lambda number: number.replace("-", " "), wide]


@pytest.mark.parametrize("spelled", SPELLINGS)
async def test_a_case_is_found_by_its_number_however_it_is_typed_and_only_by_who_may_see_it(
    town: Town, spelled: Callable[[str], str]
) -> None:
    filed = await town.file()
    number = spelled(filed["number"])
    for actor, seen in ((RESIDENT, True), (DISPATCHER, True), (NEIGHBOUR, False)):
        expected = [filed["id"]] if seen else []
        listed = await town.get(actor, "/v1/requests", number=number)
        found = await town.post(actor, "/v1/requests/find", {"number": number})
        assert [one["id"] for one in listed.json()["items"]] == expected
        assert [one["id"] for one in found.json()["items"]] == expected
    unasked = await town.post(RESIDENT, "/v1/requests/find", {"number": None})
    assert len(unasked.json()["items"]) == 1
    other = await town.get(RESIDENT, "/v1/requests", number=number, state="closed")
    assert other.json() == {"items": [], "next": None}


async def test_the_cases_of_a_person_are_found_without_their_id_in_an_address(town: Town) -> None:
    own = [(await town.file())["id"] for _ in range(3)]
    await town.file(NEIGHBOUR)
    hotline = staff("operator", CITY)
    first = (await town.post(hotline, "/v1/requests/find", {"person": "person_wang", "limit": 2})).json()
    rest = {"person": "person_wang", "limit": 2, "after": first["next"]}
    second = (await town.post(hotline, "/v1/requests/find", rest)).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == own[::-1]
    assert (second["next"], {one["handler_id"] for one in first["items"]}) == (None, {STATION})
    elsewhere = await town.post(staff("dispatcher", "150721101"), "/v1/requests/find", {"person": "person_wang"})
    assert elsewhere.json()["items"] == []
    assert (await town.get(hotline, "/v1/requests", person="person_wang")).status_code == 422


async def test_a_day_is_as_good_as_an_instant_and_begins_in_the_city(town: Town) -> None:
    await crowd(town)
    day = {"filed_after": "2026-01-20", "filed_before": "2026年1月21日", "sort": "filed_at", "limit": 200}
    instants = {"filed_after": "2026-01-19T16:00:00Z", "filed_before": "2026-01-21T00:00:00+08:00"}
    by_day, by_instant = [
        (await town.get(staff("operator", CITY), "/v1/requests", **asked)).json() for asked in (day, day | instants)
    ]
    assert len(by_day["items"]) == 24
    assert by_day == by_instant
    for wrong in ("2026-02-30", "2026-01-20T08:00:00", "2026-01-20T08:00:00 08:00", "0001-01-01", "soon"):
        refused = await town.get(RESIDENT, "/v1/requests", filed_after=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert "%2B" in refused.json()["errors"][0]["problem"]
