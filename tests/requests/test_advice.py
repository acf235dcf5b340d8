"""Advice in danger: before and after filing, in every spelling, also where no item fits; and the mark for staff."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.contracts.requests.dangers import read
from services.requests.catalogue.commands import PublishItem, publish_item
from services.requests.suggestions.model import Suggestion, leading
from services.requests.suggestions.queries import _LOOK_AGAIN
from tests.requests.town import (
    ADMINISTRATOR,
    DISPATCHER,
    FOREIGN_DISPATCHER,
    OPERATOR,
    RESIDENT,
    STATION_HANDLER,
    Town,
    field,
    item,
)

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


MENTAL = item(
    "HEA-MENTAL", "station", sensitive=True, emergency={"zh": "心理援助热线12356。", "en": "Mental health line 12356."}
)


async def offer(town: Town, one: dict[str, Any]) -> None:
    await publish_item(town.context(ADMINISTRATOR), one["code"], PublishItem.model_validate(one))


async def test_who_files_words_of_danger_reads_what_to_do_in_the_answer_and_in_the_case(town: Town) -> None:
    filed = await town.file(title="救命", text="楼下煤气漏了，味道很大")
    assert [(one["kind"], one["numbers"]) for one in filed["advice"]] == [("gas", ["119", "120"])]
    seen = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}")).json()
    assert seen["advice"] == filed["advice"]
    assert (await town.file())["advice"] == []


async def test_an_operator_reads_the_advice_to_the_caller(town: Town) -> None:
    filed = await town.file(OPERATOR, on_behalf_of="person_wang", text="我爸晕倒了")
    assert [one["kind"] for one in filed["advice"]] == ["medical"]


async def test_the_advice_of_an_item_is_given_whatever_the_words_and_not_twice(town: Town) -> None:
    emergency = {"zh": "闻到燃气味请到室外拨打119。", "en": "Go outside and ring 119."}
    await offer(town, {**GAS_LEAK, "emergency": emergency})
    calm = await town.file(item="GOV-GAS-LEAK")
    assert [(one["kind"], one["text"]) for one in calm["advice"]] == [(None, emergency)]
    leaking = await town.file(item="GOV-GAS-LEAK", text="煤气漏了")
    assert [one["kind"] for one in leaking["advice"]] == ["gas"]
    refused = await town.post(STATION_HANDLER, f"/v1/requests/{calm['id']}/no-danger", {"reason": "没有危险"})
    assert refused.json()["code"] == "no-danger-named", "its words name none"
    fallen = await town.file(item="GOV-GAS-LEAK", text="我爸晕倒了")
    assert [one["kind"] for one in fallen["advice"]] == ["medical", None]


async def test_words_in_answers_count_too(town: Town) -> None:
    await offer(town, item("ASK", "station", form=[field("need", "text")]))
    assert [one["kind"] for one in (await town.file(item="ASK", answers={"need": "我想跳楼"}))["advice"]] == [
        "self-harm"
    ]


async def test_what_kind_of_danger_it_is_is_stored_and_sent_only_sealed(town: Town) -> None:
    with capture_logs() as logged:
        filed = await town.file(text="我想跳楼")
    document = await town.container.mongo.find_one("cases", {"_id": filed["id"]})
    assert document is not None
    assert document["state"]["advice"] == document["history"][0]["data"]["advice"]
    for telling in ("self-harm", "12356", "跳楼"):
        assert telling not in f"{document}{logged}"


async def test_of_a_sensitive_item_the_short_advice_names_nothing(town: Town) -> None:
    await offer(town, MENTAL)
    filed = await town.file(item="HEA-MENTAL")
    case = await town.case(filed["id"])
    assert case.sensitive
    assert case.advice is not None
    (advice,) = read(town.container.vault.open_own(case.advice, case, "advice") or "")
    assert (advice.text.zh, "12356" in advice.short.zh) == ("心理援助热线12356。", False)
    neutral = advice.short
    named = await town.case((await town.file(item="HEA-MENTAL", text="我想跳楼，家里也着火了"))["id"])
    assert named.advice is not None
    known = read(town.container.vault.open_own(named.advice, named, "advice") or "")
    assert [one.kind for one in known] == ["fire", "self-harm"]
    assert {one.short.zh for one in known} == {neutral.zh}, "a kind's own short words are not for a sensitive item"
    assert not (await town.case((await town.file())["id"])).sensitive


async def test_who_has_number_and_code_of_a_sensitive_case_reads_no_answers(town: Town) -> None:
    await offer(town, MENTAL)
    for filed, shown in ((await town.file(item="HEA-MENTAL"), []), (await town.file(), ["已联系"])):
        for step, body in (("accept", None), ("start", None), ("resolve", {"answer": "已联系"})):
            await town.step(STATION_HANDLER, filed, step, body)
        tracked = await town.get(None, f"/v1/track/{filed['number']}", code=filed["tracking_code"])
        assert (tracked.status_code, tracked.json()["answers"]) == (200, shown)


async def test_a_sensitive_item_is_not_for_others_to_follow(town: Town) -> None:
    refused = await town.put(
        ADMINISTRATOR, "/v1/catalogue/BOTH", item("BOTH", "station", sensitive=True, followable=True)
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "item-unfit")


async def test_staff_see_which_cases_name_a_danger_and_take_the_mark_off_with_a_reason(town: Town) -> None:
    filed = await town.file(text="家里着火了快来")
    (line,) = (await town.get(DISPATCHER, "/v1/requests")).json()["items"]
    assert line["dangers"] == ["fire"]
    bare = await town.post(STATION_HANDLER, f"/v1/requests/{filed['id']}/no-danger", {})
    assert bare.status_code == 422
    cleared = await town.step(STATION_HANDLER, filed, "no-danger", {"reason": "是玩笑，已电话核实"})
    assert (cleared["inside"]["dangers"], [one["kind"] for one in cleared["advice"]]) == ([], ["fire"])
    (line,) = (await town.get(DISPATCHER, "/v1/requests")).json()["items"]
    assert line["dangers"] == []
    again = await town.post(DISPATCHER, f"/v1/requests/{filed['id']}/no-danger", {"reason": "再次"})
    assert (again.status_code, again.json()["code"]) == (409, "no-danger-named")


async def test_a_joke_in_words_of_danger_changes_no_limit_and_calls_nobody(town: Town) -> None:
    plain, joke = await town.file(), await town.file(text="想跳楼，外卖又迟到了，老公打我的电话也不接")
    assert [one["kind"] for one in joke["advice"]] == ["self-harm"]
    assert joke["accept_within_minutes"] is None
    assert (joke["state"], joke["handler"]) == (plain["state"], plain["handler"])
    assert await town.events(joke["id"]) == await town.events(plain["id"])


async def test_residents_and_strangers_do_not_take_the_mark_off(town: Town) -> None:
    filed = await town.file(text="家里着火了快来")
    for actor, status in ((RESIDENT, 403), (FOREIGN_DISPATCHER, 404)):
        refused = await town.post(actor, f"/v1/requests/{filed['id']}/no-danger", {"reason": "不是我的"})
        assert refused.status_code == status
