"""Advice in danger: before anything is filed, in every spelling, also where no item fits."""

import asyncio
from typing import Any

import pytest

from services.requests.catalogue.commands import PublishItem, publish_item
from services.requests.suggestions.model import Suggestion, leading
from services.requests.suggestions.queries import _LOOK_AGAIN
from tests.requests.town import ADMINISTRATOR, Town, item

GAS_LEAK = item("GOV-GAS-LEAK", "station", keywords=["燃气泄漏"])
GAS_BILL = item("GOV-GAS", "station", keywords=["煤气", "煤气费", "煤气卡"])


async def suggested(town: Town, text: str) -> dict[str, Any]:
    answer = await town.post(None, "/v1/catalogue/suggest", {"text": text})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("words", "kind", "number"),
    [
        ("家里着火了快来", "fire", "119"),
        ("有人触电了", "electric-shock", "120"),
        ("我想跳楼", "self-harm", "12356"),
        ("老公打我", "violence-at-home", "110"),
        ("小孩掉井里了", "well", "119"),
        ("我爸晕倒了", "medical", "120"),
        ("煤氣洩漏 救命", "gas", "119"),
        ("gas leak in my flat", "gas", "119"),
    ],
)
async def test_words_of_danger_are_answered_with_whom_to_ring(town: Town, words: str, kind: str, number: str) -> None:
    (advice,) = (await suggested(town, words))["advice"]
    assert (advice["kind"], advice["numbers"][0]) == (kind, number)
    assert number in advice["text"]["zh"]
    assert number in advice["text"]["en"]


async def test_other_words_get_no_advice(town: Town) -> None:
    assert (await suggested(town, "楼下火锅店油烟大"))["advice"] == []


async def test_the_item_of_a_danger_comes_before_the_item_whose_words_are_used(town: Town) -> None:
    for one in (GAS_LEAK, GAS_BILL):
        await publish_item(town.context(ADMINISTRATOR), one["code"], PublishItem.model_validate(one))
    await asyncio.sleep(_LOOK_AGAIN)
    items = (await suggested(town, "煤气漏了"))["items"]
    assert [one["code"] for one in items][:2] == ["GOV-GAS-LEAK", "GOV-GAS"]
    assert items[0]["why"] == ["煤气漏"]
    assert items[0]["score"] > items[1]["score"]


def test_what_leads_is_in_its_order_and_nothing_is_there_twice() -> None:
    found = [Suggestion("A", 2.0, ("a",)), Suggestion("B", 1.0, ("b",))]
    first = leading({"C": "c", "B": "x"}, found)
    assert [(one.code, one.score) for one in first] == [("C", 4.0), ("B", 3.0), ("A", 2.0)]
    assert first[1].why == ("x",)
    assert leading({}, found) == found
    assert len(leading({letter: letter for letter in "CDEFGH"}, found)) == 5
