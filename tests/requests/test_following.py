"""Following a case: its timeline for those who may see it, its number and code for everybody else, its metrics."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import id_from
from services.chassis.schedule.scheduler import Scheduler
from services.chassis.storage import archive, migrations
from services.chassis.storage.leases import Lease
from services.contracts.requests import tracking
from services.requests.app import service
from services.requests.cases.intake.commands import FileRequest, file
from services.requests.cases.states.model import State
from services.requests.cases.tracking import model as numbers
from services.requests.cases.tracking import queries
from services.requests.overview.queries import ENDED, LIVE, counted
from services.requests.overview.timers import count_cases
from tests.requests.town import (
    CENTRE_HANDLER,
    DISPATCHER,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION_HANDLER,
    Town,
    filing,
)
from tests.support.road import until

BODIES = st.text(tracking.ALPHABET, min_size=11, max_size=11)


@given(body=BODIES, at=st.integers(0, 11), other=st.sampled_from(tracking.ALPHABET))
def test_one_wrong_character_in_a_number_shows(body: str, at: int, other: str) -> None:
    whole = body + tracking.check(body)
    assert tracking.normal(whole) is not None
    if whole[at] != other:
        assert tracking.normal(whole[:at] + other + whole[at + 1 :]) is None


@given(body=BODIES)
def test_a_number_may_be_typed_as_it_was_heard(body: str) -> None:
    stored = tracking.normal(body + tracking.check(body))
    assert stored is not None
    heard = stored.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert tracking.normal(heard) == stored


def test_a_number_is_the_day_in_the_city_and_a_part_of_the_id() -> None:
    evening = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    first, *rest = numbers.candidates("case_7k3qx0123456789abcdefghj", evening, ZoneInfo("Asia/Shanghai"))
    assert first.startswith("261123-7K3QX-")
    assert len(rest) == 3


@pytest.mark.parametrize("sharded", [frozenset(), frozenset({"cases"})])
async def test_of_cases_whose_numbers_would_be_the_same_each_gets_one_of_its_own(
    town: Town, monkeypatch: pytest.MonkeyPatch, sharded: frozenset[str]
) -> None:
    own, same = numbers.candidates, "261123-AAAAA-0"
    monkeypatch.setattr(numbers, "candidates", lambda *given: chain([same], own(*given)))
    town = replace(town, container=replace(town.container, sharded=sharded))
    if sharded:
        await town.container.mongo.command("dropIndexes", "cases", index="state.number_1")
        await migrations.build(town.container.mongo, service.kinds, sharded)
    contexts = [town.context(RESIDENT) for _ in range(6)]
    filed = await asyncio.gather(*(file(ctx, FileRequest(**filing())) for ctx in contexts))
    given = [case.number for case in filed]
    assert (given.count(same), len({*given})) == (1, 6)
    monkeypatch.setattr(numbers, "candidates", lambda *_: iter(["261124-AAAAA-0"]))  # it is past midnight
    again = [await file(ctx, FileRequest(**filing())) for ctx in contexts]
    assert [case.number for case in again] == given
    if sharded:
        with pytest.raises(migrations.IndexDiffers, match=r"cases\(state.number\) unique: it is there, but not unique"):
            await migrations.build(town.container.mongo, service.kinds)
        await town.container.mongo.command("dropIndexes", "cases", index="state.number_1")
        await migrations.build(town.container.mongo, service.kinds)


async def test_a_case_is_followed_by_number_and_code_without_anything_personal(town: Town) -> None:
    filed = await town.file(title="金丝雀", text="金丝雀", address="金丝雀")
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "resolve", {"answer": "已修好。"})
    path = f"/v1/track/{filed['number'].lower()}"
    seen = await town.get(None, path, code=filed["tracking_code"])
    assert seen.status_code == 200
    result = seen.json()
    assert (result["number"], result["state"], result["answers"]) == (filed["number"], "resolved", ["已修好。"])
    assert "金丝雀" not in seen.text
    assert "person_wang" not in seen.text
    wrong = [await town.get(None, path, code="00000-00000"), await town.get(None, "/v1/track/261123-AAAAA-0", code="x")]
    assert [answer.status_code for answer in wrong] == [404, 404]
    assert (await town.get(None, path)).status_code == 422
    assert (await town.get(None, path, code=filed["tracking_code"], colour="red")).status_code == 422


@given(blind=st.text("0123456789abcdef", min_size=40, max_size=40))
def test_a_code_has_ten_characters_and_is_taken_however_it_was_heard(blind: str) -> None:
    code = tracking.code_from(blind)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code)
    heard = code.lower().replace("-", " ").replace("0", "o").replace("1", "i")
    wide = code.translate({sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)})
    assert tracking.plain(heard) == tracking.plain(wide) == tracking.plain(code)
    assert tracking.code_from(blind[:13] + "0" * 27)[:-1] == code[:-1], "made of the first 50 bits"


async def test_a_tracker_sees_all_answers_that_the_resident_got(town: Town) -> None:
    filed = await town.file()
    for step, body in (
        ("accept", None),
        ("comment", {"text": "周三上门。", "public": True}),
        ("resolve", {"answer": "已修好。"}),
    ):
        await town.step(STATION_HANDLER, filed, step, body)
    await town.step(STATION_HANDLER, filed, "comment", {"text": "内部"})
    await town.step(OPERATOR, filed, "comment", {"text": "来电说还是不亮", "passed_on": True})
    await town.step(RESIDENT, filed, "comment", {"text": "还是不亮"})
    await town.step(RESIDENT, filed, "reopen", {"reason": "又坏了"})
    await town.step(CENTRE_HANDLER, filed, "accept")
    await town.step(CENTRE_HANDLER, filed, "resolve", {"answer": "已换新灯。"})
    seen = (await town.get(None, f"/v1/track/{filed['number']}", code=filed["tracking_code"].lower())).json()
    assert seen["answers"] == ["周三上门。", "已修好。", "已换新灯。"]


async def test_a_long_history_is_followed_across_its_archive_and_shown_in_part(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_MOST_ANSWERS", 3)
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    for number in range(5):
        await town.step(STATION_HANDLER, filed, "comment", {"text": f"第 {number} 次", "public": True})
    timeline, mongo = f"/v1/requests/{filed['id']}/timeline", town.container.mongo
    whole = (await town.get(RESIDENT, timeline)).json()
    await mongo.update("cases", {"_id": filed["id"]}, [{"$set": {"published": "$version"}}])
    assert await archive.trim(mongo, "cases", filed["id"], 4) == len(whole["items"]) - 2
    assert (await town.get(RESIDENT, timeline)).json() == whole
    seen = (await town.get(None, f"/v1/track/{filed['number']}", code=filed["tracking_code"])).json()
    assert seen["answers"] == ["第 2 次", "第 3 次", "第 4 次"]


async def test_what_the_resident_does_and_what_is_done_for_them_are_distinguished(town: Town) -> None:
    filed = await town.file(OPERATOR, on_behalf_of="person_wang")
    await town.step(RESIDENT, filed, "urge")
    for step, body in (("accept", None), ("resolve", {"answer": "好了"})):
        await town.step(STATION_HANDLER, filed, step, body)
    await town.step(RESIDENT, filed, "rate", {"score": 1, "solved": False})
    await town.step(RESIDENT, filed, "reopen", {"reason": "没好"})
    await town.step(OPERATOR, filed, "cancel", {"reason": "来电撤回"})
    entries = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}/timeline")).json()["items"]
    result = [(entry["what"], entry["by"]) for entry in entries if entry["by"] in ("resident", "staff")]
    assert result == [
        ("CaseFiled", "staff"),
        ("CaseUrged", "resident"),
        ("CaseRated", "resident"),
        ("CaseReopened", "resident"),
        ("CaseCancelled", "staff"),
    ]
    assert (await town.get(RESIDENT, f"/v1/requests/{filed['id']}/timeline", colour="red")).status_code == 422


async def test_a_timeline_names_who_closed_a_case(town: Town) -> None:
    closings: list[tuple[Actor, str, dict[str, Any]]] = [
        (RESIDENT, "rate", {"score": 5, "solved": True}),
        (OPERATOR, "close", {}),
    ]
    for who, step, body in closings:
        filed = await town.file()
        await town.step(STATION_HANDLER, filed, "accept")
        await town.step(STATION_HANDLER, filed, "resolve", {"answer": "好了"})
        await town.step(who, filed, step, body)
        entries = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}/timeline")).json()["items"]
        assert (entries[-1]["what"], entries[-1]["by"]) == ("CaseClosed", "resident" if who is RESIDENT else "staff")


async def test_a_timeline_says_what_happened_and_which_body_did_it(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "pause", {"because": "parts", "reason": "等配件"})
    await town.step(STATION_HANDLER, filed, "resume")
    await town.step(STATION_HANDLER, filed, "return", {"reason": "不归我们"})
    entries = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}/timeline")).json()["items"]
    assert [(entry["what"], entry["by"]) for entry in entries] == [
        ("CaseFiled", "resident"),
        ("LimitsSet", "system"),
        ("CaseDispatched", "system"),
        ("CaseAccepted", "handler"),
        ("CasePaused", "handler"),
        ("CaseResumed", "handler"),
        ("CaseReturned", "handler"),
    ]
    assert entries[3]["body"] == {"zh": "正阳社区服务站", "en": "Zhengyang Station"}
    assert [entry["words"] for entry in entries if entry["words"]] == [], "reasons are among staff"
    assert entries[4]["facts"]["because"] == "parts"
    inside = (await town.get(DISPATCHER, f"/v1/requests/{filed['id']}/timeline")).json()["items"]
    assert [entry["words"] for entry in inside if entry["words"]] == ["等配件", "不归我们"]
    assert entries[1]["facts"]["due_at"] == filed["due_at"]


async def test_what_staff_says_among_itself_is_not_in_the_residents_timeline(town: Town) -> None:
    filed = await town.file()
    await town.step(DISPATCHER, filed, "comment", {"text": "内部"})
    await town.step(RESIDENT, filed, "comment", {"text": "公开", "public": False})
    path = f"/v1/requests/{filed['id']}/timeline"
    outside = [entry["words"] for entry in (await town.get(RESIDENT, path)).json()["items"] if entry["words"]]
    inside = [entry["words"] for entry in (await town.get(DISPATCHER, path)).json()["items"] if entry["words"]]
    assert (outside, inside) == (["公开"], ["内部", "公开"])
    assert (await town.get(NEIGHBOUR, path)).status_code == 404


async def test_a_timeline_comes_in_pages(town: Town) -> None:
    filed = await town.file(OPERATOR, on_behalf_of="person_wang")
    path = f"/v1/requests/{filed['id']}/timeline"
    first = (await town.get(OPERATOR, path, limit=2)).json()
    second = (await town.get(OPERATOR, path, limit=2, after=first["next"])).json()
    assert [entry["what"] for entry in first["items"] + second["items"]] == ["CaseFiled", "LimitsSet", "CaseDispatched"]
    assert first["items"][0]["by"] == "staff"
    assert second["next"] is None


async def test_cases_are_counted_by_state_system_and_county(town: Town) -> None:
    await town.file()
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    withdrawn = await town.file()
    await town.step(RESIDENT, withdrawn, "cancel", {})
    live, ended = await counted(town.container.mongo, LIVE), await counted(town.container.mongo, ENDED)
    assert live.cases == {("dispatched", "health", "150702"): 1, ("accepted", "health", "150702"): 1}
    assert ended.cases == {("cancelled", "health", "150702"): 1}
    assert live.overdue == {"150702": 0}
    assert set(State) == LIVE | ENDED


def test_numbers_look_like_numbers() -> None:
    shape = re.compile(r"\d{6}-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]")
    for number in numbers.candidates(id_from("case", "one"), datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")):
        assert shape.fullmatch(number)


@asynccontextmanager
async def counting(town: Town) -> AsyncIterator[None]:
    """A worker that counts cases."""
    scheduler = Scheduler((), (count_cases(),), town.container, Lease(town.container.mongo, "timers", "first", 0.3))
    running = asyncio.create_task(scheduler.run())
    yield
    scheduler.finish()
    await running


async def shown(name: str, labels: dict[str, str], value: float | None) -> None:
    """Wait until a gauge shows this value; None: nothing."""

    async def shows() -> bool:
        return REGISTRY.get_sample_value(name, labels) == value

    await until(shows)


async def test_where_there_is_no_case_none_is_late(town: Town) -> None:
    async with counting(town):
        await shown("linli_cases_overdue", {"county": ""}, 0)
    await shown("linli_cases_overdue", {"county": ""}, None)


async def test_the_gauges_show_what_was_counted_until_another_worker_has_the_lease(town: Town) -> None:
    await town.file()
    labels = {"state": "dispatched", "system": "health", "county": "150702"}
    async with counting(town):
        await shown("linli_cases", labels, 1)
        assert REGISTRY.get_sample_value("linli_cases_overdue", {"county": "150702"}) == 0
        await Lease(town.container.mongo, "timers", "second", 60).seize()
        await shown("linli_cases", labels, None)
