"""One case can be forgotten: nothing of it is readable anywhere, and all else stays."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from services.chassis.messaging.kafka import Publisher, TopicReader, create_topics
from services.chassis.messaging.relay import Relay
from services.chassis.operations.ledger.rebuild import judged
from services.chassis.storage import archive
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.sealing import Tampered
from services.requests.app import service
from services.requests.cases.forgetting.commands import forget_of_erased
from services.requests.cases.model import Case
from tests.requests.forgetting import (
    LATER,
    SAID,
    archive_all,
    forget,
    keys_left,
    lived,
    readable,
    sealed_values,
)
from tests.requests.town import (
    ADMINISTRATOR,
    DISPATCHER,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION_HANDLER,
    SUPERVISOR,
    Town,
    filing,
    staff,
)
from tests.support.world import keyed

EXPECTED = "只能是：asked, mistake, order"


async def test_after_a_case_is_forgotten_nothing_of_it_is_readable_in_the_database(town: Town) -> None:
    case = await lived(town)
    await archive_all(town, case["id"])
    before = await readable(town)
    assert [word for word in (*SAID, *LATER) if word not in before] == []  # the search finds what is there
    assert (await forget(town, case)).status_code == 204
    after = await readable(town)
    assert [word for word in (*SAID, *LATER) if word in after] == []


async def test_its_history_stays_whole_and_its_facts_are_left(town: Town) -> None:
    case = await lived(town)
    await archive_all(town, case["id"])
    await forget(town, case)
    stored = await town.container.mongo.find_one("cases", {"_id": case["id"]})
    assert stored is not None
    stored["history"] = await archive.whole(town.container.mongo, "cases", stored)
    assert judged(Case, stored) == (None, None, {})
    seen = (await town.get(RESIDENT, f"/v1/requests/{case['id']}")).json()
    assert [seen[name] for name in ("title", "text", "address", "answers", "answer", "latitude")] == [None] * 6
    assert (seen["number"], seen["item"], seen["state"], seen["score"]) == (case["number"], "FORM", "closed", 4)
    assert seen["steps"] == []
    line = (await town.get(DISPATCHER, "/v1/requests")).json()["items"][0]
    assert (line["number"], line["title"]) == (case["number"], None)


async def test_its_timeline_says_what_happened_and_no_word_of_it(town: Town) -> None:
    case = await lived(town)
    await forget(town, case, "order")
    entries = (await town.get(SUPERVISOR, f"/v1/requests/{case['id']}/timeline")).json()["items"]
    assert [entry["words"] for entry in entries] == [None] * len(entries)
    assert (entries[-1]["what"], entries[-1]["facts"]) == ("CaseForgotten", {"because": "order"})
    answer = await town.get(None, f"/v1/track/{case['number']}", code=case["tracking_code"])
    assert (answer.status_code, answer.json()["answers"]) == (200, [])


async def test_another_case_of_the_same_resident_is_untouched(town: Town) -> None:
    case, other = await lived(town), await town.file(title="kept-title", text="kept-text")
    before = await town.container.mongo.find_one("cases", {"_id": other["id"]})
    await forget(town, case)
    assert await town.container.mongo.find_one("cases", {"_id": other["id"]}) == before
    seen = (await town.get(RESIDENT, f"/v1/requests/{other['id']}")).json()
    assert (seen["title"], seen["text"]) == ("kept-title", "kept-text")


@pytest.mark.parametrize(
    "step, body",
    [("comment", {"text": "one more"}), ("reopen", {"reason": "again"}), ("rate", {"score": 1, "solved": False})],
)
async def test_no_step_can_be_taken_with_a_forgotten_case(town: Town, step: str, body: dict[str, Any]) -> None:
    case = await lived(town)
    await forget(town, case)
    path = f"/v1/requests/{case['id']}/{step}"
    for language, words in (("zh", "内容已删除"), ("en", "are forgotten")):
        answer = await town.post(RESIDENT, path, body, headers=keyed() | {"Accept-Language": language})
        assert (answer.status_code, answer.json()["code"]) == (409, "words-forgotten")
        assert words in answer.json()["detail"]


async def test_only_an_administrator_of_its_place_forgets_a_case_and_only_one_that_is_over(town: Town) -> None:
    case = await town.file()
    for actor in (RESIDENT, NEIGHBOUR, OPERATOR, STATION_HANDLER, DISPATCHER, SUPERVISOR):
        assert (await forget(town, case, actor=actor)).status_code == 403
    assert (await forget(town, case, actor=staff("administrator", "150721"))).status_code == 404
    early = await forget(town, case)
    assert (early.status_code, early.json()["code"]) == (409, "step-not-allowed")
    for because in ("erased", "term", "whim"):
        wrong = await forget(town, case, because)
        assert (wrong.status_code, wrong.json()["errors"]) == (422, [{"field": "because", "problem": EXPECTED}])
    await town.step(RESIDENT, case, "cancel")
    assert (await forget(town, case)).status_code == 204
    twice = await forget(town, case)
    assert (twice.status_code, twice.json()["code"]) == (409, "words-forgotten")
    assert (await town.get(ADMINISTRATOR, f"/v1/requests/{case['id']}")).status_code == 403  # to forget is not to read


async def test_a_repeated_forgetting_gets_the_same_answer(town: Town) -> None:
    case = await lived(town)
    headers = {"Idempotency-Key": "forget-once-please"}
    path = f"/v1/requests/{case['id']}/forget"
    answers = [await town.post(ADMINISTRATOR, path, {"because": "asked"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert (await town.events(case["id"])).count("CaseForgotten") == 1


async def test_a_repeated_filing_gets_the_same_answer_and_after_the_forgetting_no_words(town: Town) -> None:
    headers = {"Idempotency-Key": "file-once-please"}
    first = await town.post(RESIDENT, "/v1/requests", filing(), headers=headers)
    again = await town.post(RESIDENT, "/v1/requests", filing(), headers=headers)
    assert (again.status_code, again.json(), again.headers["ETag"]) == (201, first.json(), first.headers["ETag"])
    await forget_of_erased(town.container.system_context("test", "x"), first.json()["id"])
    late = await town.post(RESIDENT, "/v1/requests", filing(), headers=headers)
    assert (late.status_code, late.json()["id"], late.json()["title"]) == (201, first.json()["id"], None)


async def test_of_a_comment_and_a_forgetting_at_once_no_word_is_left(town: Town) -> None:
    for _ in range(5):
        case = await lived(town)
        path = f"/v1/requests/{case['id']}/comment"
        comments = [town.post(RESIDENT, path, {"text": "canary-late"}) for _ in range(3)]
        answers = await asyncio.gather(*comments, forget(town, case))
        assert answers[-1].status_code == 204
        assert {answer.status_code for answer in answers[:-1]} <= {200, 409}
    assert "canary-late" not in await readable(town)


async def test_words_moved_to_another_case_do_not_open(town: Town) -> None:
    one, other = await town.file(title="one"), await town.file(title="other")
    stored = await town.container.mongo.find_one("cases", {"_id": one["id"]})
    assert stored is not None
    moved = {"$set": {"state.title": stored["state"]["title"]}}
    await town.container.mongo.update("cases", {"_id": other["id"]}, moved)
    case = await town.case(other["id"])
    with pytest.raises(Tampered):
        town.container.vault.open_own(case.title, case, "title")
    await town.container.mongo.update("cases", {"_id": other["id"]}, {"$set": {"key": stored["key"]}})
    case = await town.case(other["id"])
    with pytest.raises(Tampered):
        town.container.vault.open_own(case.title, case, "title")


async def test_a_page_of_cases_is_opened_without_a_look_up_of_keys(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        await town.file(title=f"title {number}")
    asked: list[str] = []
    _count(monkeypatch, "find", asked)
    items = (await town.get(DISPATCHER, "/v1/requests")).json()["items"]
    assert sorted(item["title"] for item in items) == ["title 0", "title 1", "title 2"]
    assert set(asked) == {"find cases"}


@pytest.fixture
async def relay(town: Town) -> AsyncIterator[Relay]:
    settings = town.world.settings()
    topics = {name: settings.topic(name) for name in ("requests", "keys")}
    await create_topics(town.world.kafka, topics, 1)
    publisher = Publisher(town.world.kafka)
    where = (topics["requests"], topics["keys"])
    mongo, cap = town.container.mongo, settings.history_cap
    yield Relay(mongo, publisher, service.entities, "/linli/requests", where, cap, mints_keys=service.mints_keys)
    await publisher.stop()


async def records(town: Town, name: str) -> list[Any]:
    """All records of a topic."""
    topic = town.world.settings().topic(name)
    async with TopicReader(town.world.kafka).open() as past:
        ends = await past.ends(topic)
        batches = [past.read(*place, 0, end) for place, end in ends.items() if end]
        return [record for batch in batches async for some in batch for record in some]


async def test_nothing_of_a_forgotten_case_is_readable_on_the_topics(town: Town, relay: Relay) -> None:
    case, other = await lived(town), await town.file(title="kept-title")
    while await relay.round():
        continue
    ids = {case["id"], other["id"]}  # other tests have sent to the same topics
    sent = [record for record in await records(town, "requests") if record.key in ids]
    words = [found for record in sent for found in sealed_values(orjson.loads(record.value or b"{}"))]
    before = [(await keys_left(town)).read(*one) for one in words]
    assert [word for word in (*SAID, *LATER, "kept-title") if word not in repr(before)] == []
    assert [word for word in (*SAID, *LATER) if word.encode() in b"".join(record.value or b"" for record in sent)] == []
    await forget(town, case)
    while await relay.round():
        continue
    keys = [record for record in await records(town, "keys") if record.key in ids]
    last = {record.key: record.value for record in keys}  # what compaction leaves
    assert {id: value is None for id, value in last.items()} == {case["id"]: True, other["id"]: False}
    after = repr([(await keys_left(town)).read(*one) for one in words])
    assert [word for word in (*SAID, *LATER) if word in after] == []
    assert "kept-title" in after


async def test_the_key_of_a_case_is_written_with_the_case_and_costs_no_operation_of_its_own(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.file()  # by now the catalogue, the places and the resident are known
    done: list[str] = []
    for operation in ("find", "find_one", "find_or_make", "insert", "update", "bulk", "aggregate", "count"):
        _count(monkeypatch, operation, done)
    await town.file()
    assert done.count("insert cases") == 1
    assert [one for one in done if one.endswith(" keys")] == []


def _count(monkeypatch: pytest.MonkeyPatch, operation: str, done: list[str]) -> None:
    plain = getattr(Mongo, operation)

    async def counted(mongo: Mongo, name: str, *given: Any, **more: Any) -> Any:
        done.append(f"{operation} {name}")
        return await plain(mongo, name, *given, **more)

    monkeypatch.setattr(Mongo, operation, counted)
