"""Who is about to ask for what others asked for sees that, without their words, and may follow it instead."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed
from services.requests.cases.following import model
from services.requests.cases.forgetting.timers import forget_person
from services.requests.catalogue.commands import PublishItem, publish_item
from tests.requests.test_life_of_a_case import MONDAY, filed
from tests.requests.town import (
    ADMINISTRATOR,
    BARE,
    DISPATCHER,
    GRID,
    HOME,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION_HANDLER,
    Town,
    item,
    resident,
)

LAMP = {"item": "LAMP", "area": HOME}


@pytest.fixture
async def street(town: Town) -> Town:
    """A town whose catalogue has something that is everybody's matter."""
    lamp = item("LAMP", "station", "centre", followable=True)
    await publish_item(town.context(ADMINISTRATOR), "LAMP", PublishItem.model_validate(lamp))
    return town


async def alike(town: Town, actor: Any = NEIGHBOUR, **asked: Any) -> list[dict[str, Any]]:
    answer = await town.get(actor, "/v1/requests/alike", **{**LAMP, **asked})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def follow(town: Town, case: dict[str, Any], *people: Any) -> None:
    for person in people:
        answer = await town.post(person, f"/v1/requests/{case['id']}/follow")
        assert answer.status_code == 204, answer.text


async def test_strangers_see_item_coarse_place_state_and_day_and_nothing_else(street: Town) -> None:
    case = await street.file(item="LAMP", area=GRID, title="秘密标题", text="秘密正文", address="秘密地址")
    late = datetime(2026, 11, 30, 17, 30, tzinfo=UTC)  # the first of December in the city
    await street.container.mongo.update("cases", {"_id": case["id"]}, {"$set": {"state.filed_at": late}})
    (seen,) = await alike(street)
    assert seen == {
        "id": case["id"],
        "item": "LAMP",
        "item_name": {"zh": "事项LAMP", "en": "Item LAMP"},
        "area": HOME,
        "area_name": {"zh": HOME, "en": HOME},
        "state": "dispatched",
        "state_name": {"zh": "已派单", "en": "Dispatched"},
        "filed_on": "2026-12-01",
        "followers": None,
    }
    assert (await street.get(NEIGHBOUR, f"/v1/requests/{case['id']}")).status_code == 404


async def test_only_what_is_open_near_recent_and_shown_counts(street: Town) -> None:
    await street.file(item="NEAR")
    await street.file(item="LAMP", area=BARE)
    await street.file(item="LAMP", followable=False)
    await street.file(NEIGHBOUR, item="LAMP")
    over = await street.file(item="LAMP")
    await street.step(RESIDENT, over, "cancel", {})
    old = await street.file(item="LAMP")
    long_ago = {"$dateSubtract": {"startDate": "$state.filed_at", "unit": "day", "amount": 31}}
    await street.container.mongo.update("cases", {"_id": old["id"]}, [{"$set": {"state.filed_at": long_ago}}])
    assert await alike(street) == []
    assert await alike(street, item="NEAR") == []
    shown = [(await street.file(item="LAMP"))["id"] for _ in range(6)]
    assert [one["id"] for one in await alike(street)] == shown[:0:-1]
    assert len(await alike(street, OPERATOR)) == 5
    assert (await street.get(None, "/v1/requests/alike", **LAMP)).status_code == 401
    assert (await street.get(DISPATCHER, "/v1/requests/alike", **LAMP)).status_code == 403
    unknown = await street.get(NEIGHBOUR, "/v1/requests/alike", item="NO", area=HOME)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "item-unknown")


async def test_strangers_see_the_number_of_followers_from_three_on(street: Town) -> None:
    case = await street.file(item="LAMP")
    people = [resident(number) for number in range(3)]
    for number, known in ((1, None), (2, None), (3, 3)):
        await follow(street, case, people[number - 1], people[number - 1])
        assert [one["followers"] for one in await alike(street)] == [known]
    seen = (await street.get(STATION_HANDLER, f"/v1/requests/{case['id']}")).json()
    line = (await street.get(DISPATCHER, "/v1/requests")).json()["items"][0]
    assert (seen["followers"], line["followers"]) == (3, 3)
    assert (await street.call(people[0], "DELETE", f"/v1/requests/{case['id']}/follow")).status_code == 204
    assert (await street.call(people[0], "DELETE", f"/v1/requests/{case['id']}/follow")).status_code == 204
    assert [one["followers"] for one in await alike(street)] == [None]


async def test_who_follows_sees_how_it_stands_also_when_it_is_over(street: Town) -> None:
    first, second = [await street.file(item="LAMP") for _ in range(2)]
    await street.file(item="LAMP")
    await follow(street, first, NEIGHBOUR)
    await follow(street, second, NEIGHBOUR)
    await street.step(STATION_HANDLER, first, "accept")
    page = (await street.get(NEIGHBOUR, "/v1/requests/followed", limit=1)).json()
    rest = (await street.get(NEIGHBOUR, "/v1/requests/followed", limit=1, after=page["next"])).json()
    assert [(one["id"], one["state"]) for one in (*page["items"], *rest["items"])] == [
        (second["id"], "dispatched"),
        (first["id"], "accepted"),
    ]
    await street.step(RESIDENT, second, "cancel", {})
    assert (await street.get(NEIGHBOUR, "/v1/requests/followed")).json()["items"][0]["state"] == "cancelled"
    assert (await street.get(RESIDENT, "/v1/requests/followed")).json()["items"] == []
    assert (await street.get(NEIGHBOUR, f"/v1/requests/{first['id']}")).status_code == 404


async def test_following_shows_in_the_timeline_of_staff_without_who_it_is(street: Town) -> None:
    case = await street.file(item="LAMP")
    await follow(street, case, NEIGHBOUR)
    inside = (await street.get(STATION_HANDLER, f"/v1/requests/{case['id']}/timeline")).json()["items"]
    assert (inside[-1]["what"], inside[-1]["by"], inside[-1]["facts"]) == ("CaseFollowed", "follower", {})
    own = (await street.get(RESIDENT, f"/v1/requests/{case['id']}/timeline")).json()["items"]
    assert "CaseFollowed" not in {one["what"] for one in own}


async def test_what_cannot_be_followed_is_refused(street: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case, other = await street.file(item="LAMP"), await street.file(item="NEAR")
    hidden = await street.file(item="LAMP", followable=False)

    async def refused(actor: Any, filed: dict[str, Any]) -> tuple[int, str]:
        answer = await street.post(actor, f"/v1/requests/{filed['id']}/follow")
        return answer.status_code, answer.json()["code"]

    assert await refused(RESIDENT, case) == (409, "followed-by-itself")
    for unseen in (other, hidden, {"id": "case_0"}):
        assert await refused(NEIGHBOUR, unseen) == (404, "not-found")
        gone = await street.call(NEIGHBOUR, "DELETE", f"/v1/requests/{unseen['id']}/follow")
        assert gone.status_code == 404
    monkeypatch.setattr(model, "MOST_FOLLOWERS", 1)
    await follow(street, case, NEIGHBOUR)
    assert await refused(resident(7), case) == (409, "followers-full")
    answer = await street.post(NEIGHBOUR, f"/v1/requests/{case['id']}/follow")
    assert (answer.status_code, "etag" in answer.headers) == (204, False)
    for _ in range(2):
        await follow(street, case, NEIGHBOUR)
        assert (await street.call(NEIGHBOUR, "DELETE", f"/v1/requests/{case['id']}/follow")).status_code == 204
    assert await refused(NEIGHBOUR, case) == (409, "followed-often")
    await street.step(RESIDENT, case, "cancel", {})
    assert await refused(resident(7), case) == (409, "followed-too-late")


async def test_a_person_who_was_erased_follows_nothing_any_more(street: Town) -> None:
    case = await street.file(item="LAMP")
    await follow(street, case, NEIGHBOUR, resident(1))
    assert await forget_person(street.container, "person_li") == 1
    assert (await street.case(case["id"])).followers == ["person_r1"]


def test_who_follows_is_in_the_case_until_they_follow_no_more() -> None:
    case = filed(MONDAY)
    case.record(CaseFollowed(person_id="person_li"))
    case.record(CaseFollowed(person_id="person_bao"))
    assert case.followers == ["person_li", "person_bao"]
    case.record(CaseUnfollowed(person_id="person_li"))
    assert case.followers == ["person_bao"]
