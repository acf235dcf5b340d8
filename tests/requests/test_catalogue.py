"""The catalogue: the city's own file goes in as it is, and people find what they need in their own words."""

import asyncio
import json

import pytest

from services.requests.suggestions.queries import _LOOK_AGAIN
from tests.conftest import CITY_DATA
from tests.requests.town import ADMINISTRATOR, COUNTY, RESIDENT, STREET, Town, item, staff

CATALOGUE = json.loads((CITY_DATA / "catalogue.json").read_text())["items"]


async def test_every_item_of_the_citys_file_is_taken_as_it_is_and_read_again_the_same(town: Town) -> None:
    for one in CATALOGUE[::12]:
        answer = await town.put(ADMINISTRATOR, f"/v1/catalogue/{one['code']}", one)
        assert answer.status_code == 200, answer.text
        read = (await town.get(None, f"/v1/catalogue/{one['code']}")).json()
        unbounded = {"format": None, "minimum": None, "maximum": None}
        assert {name: read[name] for name in one} == {**one, "form": [unbounded | field for field in one["form"]]}


async def test_the_same_item_again_changes_nothing(town: Town) -> None:
    first = await town.put(ADMINISTRATOR, "/v1/catalogue/X", item("X", "station"))
    again = await town.put(ADMINISTRATOR, "/v1/catalogue/X", item("X", "station"))
    anew = await town.put(ADMINISTRATOR, "/v1/catalogue/X", item("X", "centre"))
    assert [answer.headers["ETag"] for answer in (first, again, anew)] == ['"1"', '"1"', '"2"']


async def test_a_withdrawn_item_is_not_listed_and_may_come_back(town: Town) -> None:
    assert (await town.post(ADMINISTRATOR, "/v1/catalogue/NEAR/withdraw")).json()["offered"] is False
    listed = (await town.get(None, "/v1/catalogue")).json()["items"]
    assert "NEAR" not in [one["code"] for one in listed]
    twice = await town.post(ADMINISTRATOR, "/v1/catalogue/NEAR/withdraw")
    assert (twice.status_code, twice.json()["code"]) == (409, "item-already-withdrawn")
    await town.put(ADMINISTRATOR, "/v1/catalogue/NEAR", item("NEAR", "station"))
    assert (await town.get(None, "/v1/catalogue/NEAR")).json()["offered"] is True


async def test_items_are_found_by_system_and_words_page_by_page(town: Town) -> None:
    first = (await town.get(None, "/v1/catalogue", limit=3)).json()
    second = (await town.get(None, "/v1/catalogue", limit=3, after=first["next"])).json()
    assert [one["code"] for one in first["items"] + second["items"]] == ["COUNTY", "FORM", "NEAR", "WATCH"]
    assert [one["code"] for one in (await town.get(None, "/v1/catalogue", q="词NEAR")).json()["items"]] == ["NEAR"]
    assert (await town.get(None, "/v1/catalogue", q=".*")).json()["items"] == []
    assert (await town.get(None, "/v1/catalogue", system="culture")).json()["items"] == []
    assert (await town.get(None, "/v1/catalogue", system="sport")).status_code == 422


@pytest.mark.parametrize("q", ["路燈", "路 灯", "灯", "ＬＥＤ", "led", "L.E.D", "Street lamp", "lamp-1", "街灯"])
async def test_an_item_is_found_by_its_words_however_they_are_written(town: Town, q: str) -> None:
    names = {"zh": "路灯（LED）维修", "en": "Repair of a street lamp"}
    await town.put(ADMINISTRATOR, "/v1/catalogue/LAMP-1", item("LAMP-1", "station", name=names, keywords=["街灯"]))
    found = (await town.get(None, "/v1/catalogue", q=q)).json()["items"]
    assert [one["code"] for one in found] == ["LAMP-1"]


@pytest.mark.parametrize("q", ["灯路", "路灯街灯", "……", "lamp of"])
async def test_words_that_do_not_stand_like_this_in_any_field_find_nothing(town: Town, q: str) -> None:
    names = {"zh": "路灯（LED）维修", "en": "Repair of a street lamp"}
    await town.put(ADMINISTRATOR, "/v1/catalogue/LAMP-1", item("LAMP-1", "station", name=names, keywords=["街灯"]))
    assert (await town.get(None, "/v1/catalogue", q=q)).json()["items"] == []


async def test_an_item_is_described_and_found_in_a_further_language(town: Town) -> None:
    names = {"zh": "路灯维修", "en": "Street lamps", "mn": "Гэрэл засах"}
    choice = {"key": "a", "zh": "甲", "en": "A", "mn": "нэг"}
    form = [{"code": "which", "label": names, "kind": "single", "required": False, "values": [choice]}]
    form[0] |= {"format": None, "minimum": None, "maximum": None}
    lamp = item("LAMP-1", "station", name=names, group=names, steps=[names], form=form)
    assert (await town.put(ADMINISTRATOR, "/v1/catalogue/LAMP-1", lamp)).status_code == 200
    (found,) = (await town.get(None, "/v1/catalogue", q="гэрэл")).json()["items"]
    assert (found["name"], found["group"], found["steps"], found["form"]) == (names, names, [names], form)
    case = await town.file(item="LAMP-1")
    assert case["item_name"] == names


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"colour": "红"}, "“colour” 不是语言标签（RFC 5646），例如 mn 或 zh-Hant"),
        ({"mn": ""}, "至少 1 个字符"),
        ({"mn": 7}, "应为文本"),
    ],
)
async def test_a_text_in_what_is_no_language_is_refused(town: Town, more: dict[str, object], problem: str) -> None:
    wrong = item("X", "station", name={"zh": "事项", "en": "Item", **more})
    refused = await town.put(ADMINISTRATOR, "/v1/catalogue/X", wrong)
    assert (refused.status_code, refused.json()["errors"][0]["problem"]) == (422, problem)


async def test_an_item_is_found_by_its_new_words_only_once_it_is_described_again(town: Town) -> None:
    for keyword in ("街灯", "照明"):
        await town.put(ADMINISTRATOR, "/v1/catalogue/LAMP-1", item("LAMP-1", "station", keywords=[keyword]))
    found = [(await town.get(None, "/v1/catalogue", q=q)).json()["items"] for q in ("街灯", "照明")]
    assert [len(items) for items in found] == [0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"system": "sport"},
        {"tiers": []},
        {"tiers": ["station", "station"]},
        {"tiers": ["supervision"]},
        {"tiers": ["team"], "skill": None},
        {"first_response_hours": 25},
        {"code": "OTHER"},
        {"form": [{"code": "a", "label": {"zh": "甲", "en": "A"}, "kind": "single", "required": True, "values": []}]},
        {"price": 3},
    ],
)
async def test_an_item_that_contradicts_itself_is_refused(town: Town, wrong: dict[str, object]) -> None:
    refused = await town.put(ADMINISTRATOR, "/v1/catalogue/X", item("X", "station") | wrong)
    assert refused.status_code == 422
    assert (await town.get(None, "/v1/catalogue/X")).status_code == 404


async def test_only_administrators_change_the_catalogue(town: Town) -> None:
    assert (await town.put(RESIDENT, "/v1/catalogue/X", item("X", "station"))).status_code == 403
    assert (await town.put(None, "/v1/catalogue/X", item("X", "station"))).status_code == 401


async def test_the_catalogue_is_the_whole_citys(town: Town) -> None:
    county = staff("administrator", COUNTY, STREET)
    anew = await town.put(county, "/v1/catalogue/NEAR", item("NEAR", "centre"))
    gone = await town.post(county, "/v1/catalogue/NEAR/withdraw")
    assert [(a.status_code, a.json()["code"]) for a in (anew, gone)] == [(403, "citywide-only")] * 2
    assert (await town.get(None, "/v1/catalogue/NEAR")).json()["tiers"] == ["station", "centre", "county"]


async def test_a_suggestion_says_which_words_led_to_it_and_follows_the_catalogue(town: Town) -> None:
    asked = {"text": "我家楼上漏水，天花板湿了", "title": "漏水"}
    leak = item("LEAK", "station", keywords=["漏水", "天花板"])
    await town.put(ADMINISTRATOR, "/v1/catalogue/LEAK", leak)
    await asyncio.sleep(_LOOK_AGAIN)
    (found,) = (await town.call(None, "POST", "/v1/catalogue/suggest", json=asked, headers={})).json()["items"]
    assert (found["code"], found["why"]) == ("LEAK", ["漏水", "天花板"])
    await town.post(ADMINISTRATOR, "/v1/catalogue/LEAK/withdraw")
    await asyncio.sleep(_LOOK_AGAIN)
    answer = await town.call(None, "POST", "/v1/catalogue/suggest", json=asked, headers={})
    assert answer.json()["items"] == []


async def test_a_suggestion_needs_no_key(town: Town) -> None:
    async with town.world.client(town.app) as client:
        answer = await client.post("/v1/catalogue/suggest", json={"text": "路灯坏了"})
    assert answer.status_code == 200
