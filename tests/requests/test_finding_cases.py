"""Finding cases by their words, by how far they went up and by how often they were urged."""

from typing import Any

import pytest

from services.chassis.domain.scope import Actor, system_actor
from services.chassis.storage import search
from services.requests.cases.limits.commands import tick
from services.requests.cases.model import Case
from tests.requests.forgetting import forget
from tests.requests.town import CITY, DISPATCHER, HOME, NEIGHBOUR, RESIDENT, STATION_HANDLER, Town, staff

HOTLINE = staff("operator", CITY)


async def found(town: Town, actor: Actor, **asked: Any) -> list[str]:
    """The ids of a list, which is the same by either way of asking."""
    listed = await town.get(actor, "/v1/requests", **asked)
    answered = await town.post(actor, "/v1/requests/find", asked)
    assert listed.status_code == answered.status_code == 200, answered.text
    assert listed.json()["items"] == answered.json()["items"]
    return [one["id"] for one in listed.json()["items"]]


@pytest.mark.parametrize("words", ["路灯", "路燈", " 路 灯！", "胜利村的路灯", "LED", "ｌｅｄ"])
async def test_a_case_is_found_by_words_of_its_title_in_any_spelling(town: Town, words: str) -> None:
    lamp = await town.file(title="胜利村的路灯(LED)坏了", text="三单元")
    await town.file(title="胜利村的井盖坏了", text="路灯 LED")
    for actor in (RESIDENT, STATION_HANDLER, HOTLINE):
        assert await found(town, actor, q=words) == [lamp["id"]]
    assert await found(town, NEIGHBOUR, q=words) == []
    assert await found(town, staff("dispatcher", "150721101"), q=words) == []


async def test_words_combine_with_the_other_filters_and_go_on_page_by_page(town: Town) -> None:
    own = [(await town.file(title=f"暖气不热{number}"))["id"] for number in range(3)]
    await town.file(NEIGHBOUR, title="暖气不热")
    first = (await town.post(HOTLINE, "/v1/requests/find", {"q": "暖气", "person": "person_wang", "limit": 2})).json()
    rest = {"q": "暖气", "person": "person_wang", "limit": 2, "after": first["next"]}
    second = (await town.post(HOTLINE, "/v1/requests/find", rest)).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == own[::-1]
    assert await found(town, HOTLINE, q="暖气", state="closed") == []
    assert await found(town, HOTLINE, q="不热1", area=HOME, sort="filed_at") == [own[1]]


async def test_words_of_a_forgotten_case_find_nothing_and_nothing_of_them_is_left(town: Town) -> None:
    filed = await town.file(title="路灯坏了")
    tokens = search.asked(Case, "路灯坏了", town.container.vault.master)
    for step in ("accept", "start"):
        await town.step(STATION_HANDLER, filed, step)
        assert await terms(town, filed) == sorted(tokens)
    await town.step(RESIDENT, filed, "cancel", {})
    assert await found(town, HOTLINE, q="路灯") == [filed["id"]]
    assert (await forget(town, filed)).status_code == 204
    assert await found(town, HOTLINE, q="路灯") == []
    assert await terms(town, filed) == []


async def test_cases_that_were_urged_or_went_up_are_found_with_all_other_filters(town: Town) -> None:
    quiet, pressed, late = [await town.file(title=title) for title in ("静", "催", "晚")]
    await town.step(RESIDENT, pressed, "urge")
    await go_up(town, late, times=2)
    assert await found(town, DISPATCHER, urged=1) == [pressed["id"]]
    assert await found(town, DISPATCHER, urged=2) == []
    assert await found(town, DISPATCHER, level=1) == await found(town, DISPATCHER, level=2) == [late["id"]]
    assert await found(town, DISPATCHER, level=3) == []
    assert await found(town, DISPATCHER, level=1, urged=1) == []
    for sort in ("due_at", "-due_at", "filed_at", "-filed_at"):
        assert await found(town, STATION_HANDLER, level=1, item="NEAR", overdue=False, sort=sort) == [late["id"]]
    assert await found(town, DISPATCHER, level=1, state="closed") == []
    assert await found(town, RESIDENT, level=1, area=HOME) == [late["id"]]
    assert len(await found(town, DISPATCHER)) == 3 and quiet["level"] == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"q": "灯"}, "invalid"),
        ({"q": "路灯", "sort": "due_at"}, "filters-unfit"),
        ({"level": 0}, "invalid"),
        ({"urged": -1}, "invalid"),
    ],
)
async def test_what_cannot_be_looked_for_is_refused(town: Town, asked: dict[str, Any], code: str) -> None:
    refused = await town.get(DISPATCHER, "/v1/requests", **asked)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def go_up(town: Town, filed: dict[str, Any], times: int) -> None:
    """Let the clock of a case run until it has gone up so often."""
    while (case := await town.case(filed["id"])).level < times:
        assert case.next_tick_at is not None
        await tick(town.context(system_actor("test"), at=case.next_tick_at), case.id)


async def terms(town: Town, filed: dict[str, Any]) -> list[str]:
    """The tokens by which a case is found."""
    stored = await town.container.mongo.find_one("cases", {"_id": filed["id"]})
    return sorted((stored or {})[search.FIELD])
