"""One case can be forgotten, and with a person all of theirs: nothing of it is readable, and all else stays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Sealed, now
from services.chassis.messaging.erasures import sweep, sweeps
from services.chassis.messaging.kafka import Past, Publisher, create_topics
from services.chassis.messaging.relay import Relay
from services.chassis.operations.ledger.rebuild import judged
from services.chassis.storage import archive
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.sealing import Tampered
from services.chassis.storage.vault import Vault
from services.contracts.requests.cases import ForgetCause
from services.requests.app import service
from services.requests.cases.forgetting.commands import forget_now
from services.requests.cases.forgetting.timers import forget_cases_of
from services.requests.cases.model import Case
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

FILING = 6
"""Database operations of one filing, as before cases had keys."""
WORDS: dict[str, Any] = {
    "title": "canary-title",
    "text": "canary-text",
    "address": "canary-address",
    "answers": {"age": 70117},
    "lat": 49.21171,
    "long": 119.76171,
    "item": "FORM",
}
SAID = ("canary-title", "canary-text", "canary-address", "70117", "49.21171", "119.76171")
LATER = ("canary-reason", "canary-comment", "canary-inside", "canary-answer", "canary-remark", "canary-note")


async def lived(town: Town, resident: Actor = RESIDENT) -> dict[str, Any]:
    """A case with words of every sort, closed at last."""
    case = await town.file(resident, **WORDS)
    await town.step(STATION_HANDLER, case, "return", {"reason": "canary-reason"})
    await town.step(DISPATCHER, case, "handler", {"organisation_id": "organisation_station"})
    await town.step(STATION_HANDLER, case, "accept")
    await town.step(resident, case, "comment", {"text": "canary-comment"})
    await town.step(STATION_HANDLER, case, "comment", {"text": "canary-inside", "public": False})
    await town.step(STATION_HANDLER, case, "resolve", {"answer": "canary-answer"})
    await town.step(DISPATCHER, case, "call-back", {"reached": True, "note": "canary-note"})
    return await town.step(resident, case, "rate", {"score": 4, "solved": True, "remark": "canary-remark"})


async def forget(town: Town, case: dict[str, Any], because: str = "asked", **more: Any) -> httpx.Response:
    return await town.post(more.pop("actor", ADMINISTRATOR), f"/v1/requests/{case['id']}/forget", {"because": because})


async def all_documents(town: Town) -> list[tuple[str, dict[str, Any]]]:
    """Every document of every collection of the service."""
    names = await town.container.mongo._database.list_collection_names()
    found = [(name, await town.container.mongo.find(name, {}, limit=10_000)) for name in names]
    return [(name, document) for name, documents in found for document in documents]


def sealed_values(value: Any, field: str = "") -> list[tuple[str, str]]:
    """Everything in a document that may be sealed, with the name of its field."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in sealed_values(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in sealed_values(inner, field)]
    return [(field, value)] if isinstance(value, str) and value.startswith("1.") else []


@dataclass
class Keys:
    """Every key that is left: of people, and of cases."""

    vault: Vault
    people: list[str]
    cases: list[Case]

    def read(self, field: str, sealed: str) -> list[str]:
        """What this value says to whoever tries every key with every name that it could be sealed for."""
        found = []
        for kind in {field, "title", "text", "address", "answers", "position", "answer", "reason", "note", "remark"}:
            for case in self.cases:
                try:
                    found.append(self.vault.open_own(Sealed(sealed), case, kind))
                except Tampered:
                    continue
            for person in self.people:
                try:
                    found.append(self.vault.open(Sealed(sealed), person, kind))
                except Tampered:
                    continue
        return [words for words in found if words is not None]


async def keys_left(town: Town) -> Keys:
    keys = await town.container.mongo.find("keys", {"wrapped": {"$ne": None}}, limit=100)
    await town.container.vault.ensure_keys(key["_id"] for key in keys)
    cases = await town.container.mongo.find("cases", {}, limit=100)
    return Keys(town.container.vault, [key["_id"] for key in keys], [await town.case(case["_id"]) for case in cases])


async def readable(town: Town) -> str:
    """All that can be read in the database with all the keys that are left in it."""
    keys, documents = await keys_left(town), await all_documents(town)
    opened = [keys.read(field, value) for _, document in documents for field, value in sealed_values(document)]
    return repr((documents, opened))


async def test_after_a_case_is_forgotten_nothing_of_it_is_readable_in_the_database(town: Town) -> None:
    case = await lived(town)
    await archive_all(town, case["id"])
    before = await readable(town)
    assert [word for word in (*SAID, *LATER) if word not in before] == []  # the search finds what is there
    assert (await forget(town, case)).status_code == 204
    after = await readable(town)
    assert [word for word in (*SAID, *LATER) if word in after] == []


async def archive_all(town: Town, id: str) -> None:
    """The oldest half of a history goes to the archive, as if all of it had been published."""
    mongo = town.container.mongo
    stored = await mongo.find_one("cases", {"_id": id})
    assert stored is not None
    await mongo.update("cases", {"_id": id}, {"$set": {"published": stored["version"]}})
    assert await archive.trim(mongo, "cases", id, 6) > 3


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
        assert (await forget(town, case, because)).status_code == 422
    await town.step(RESIDENT, case, "cancel", {})
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
    await forget_now(town.container.system_context("test", "x"), first.json()["id"], ForgetCause.TERM)
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


async def somebody(town: Town, name: str) -> Actor:
    """A resident whom no other test knows: what is known of keys is kept from test to test."""
    await town.container.vault.mint(f"person_{name}", now())
    return Actor(f"account_{name}", frozenset({"resident"}), person=f"person_{name}")


async def test_all_cases_of_an_erased_resident_are_forgotten_and_open_ones_withdrawn(town: Town) -> None:
    zhao = await somebody(town, "zhao")
    closed, still_open = await lived(town, zhao), await town.file(zhao, **WORDS)
    others = await town.file(title="kept-title")
    await town.container.vault.keep({"person_zhao": None}, sweeps(now()))
    assert await sweep(forget_cases_of, town.container) == 1
    assert [(await town.case(case["id"])).state for case in (closed, still_open)] == ["closed", "cancelled"]
    left = await readable(town)
    assert [word for word in (*SAID, *LATER) if word in left] == []
    assert "kept-title" in left
    assert (await town.get(RESIDENT, f"/v1/requests/{others['id']}")).json()["title"] == "kept-title"
    assert await forget_cases_of(town.container, "person_zhao") == 0


async def test_a_case_that_came_in_after_the_first_sweep_is_found_by_the_second(town: Town) -> None:
    qian, at = await somebody(town, "qian"), now()
    await town.file(qian)  # by a process that trusts what it has seen of a key for a minute
    await Vault(town.container.mongo, town.container.vault.master).keep({"person_qian": None}, sweeps(at))
    assert await sweep(forget_cases_of, town.container) == 1
    case = await town.file(qian)
    assert await sweep(forget_cases_of, town.container) == 0
    later = replace(town.container, clock=lambda: at + timedelta(minutes=5))
    assert await sweep(forget_cases_of, later) == 1
    assert (await town.case(case["id"])).forgotten == "erased"
    assert await sweep(forget_cases_of, later) == 0


async def test_nothing_is_filed_for_the_erased_nor_for_callers_of_whom_nothing_is_known(town: Town) -> None:
    unknown = await town.post(OPERATOR, "/v1/requests", filing(on_behalf_of="person_nobody"))
    assert (unknown.status_code, unknown.json()["code"]) == (503, "caller-unknown")
    sun = await somebody(town, "sun")
    await town.container.vault.keep({"person_sun": None})
    for actor, more in ((OPERATOR, {"on_behalf_of": "person_sun"}), (sun, {})):
        answer = await town.post(actor, "/v1/requests", filing(**more))
        assert (answer.status_code, answer.json()["code"]) == (409, "erased")


async def test_who_is_signed_in_does_not_wait_for_a_key_that_is_late(town: Town) -> None:
    late = Actor("account_late", frozenset({"resident"}), person="person_late")
    start = asyncio.get_running_loop().time()
    assert (await town.post(late, "/v1/requests", filing())).status_code == 201
    assert asyncio.get_running_loop().time() - start < 0.9  # one that waits does so for a second


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
    async with Past(town.world.kafka).open() as past:
        ends = await past.ends(topic)
        batches = [past.read(*place, 0, end) for place, end in ends.items() if end]
        return [record for batch in batches async for some in batch for record in some]


async def test_nothing_of_a_forgotten_case_is_readable_on_the_topics(town: Town, relay: Relay) -> None:
    case, other = await lived(town), await town.file(title="kept-title")
    while await relay.round():
        continue
    sent = await records(town, "requests")
    words = [found for record in sent for found in sealed_values(orjson.loads(record.value or b"{}"))]
    before = [(await keys_left(town)).read(*one) for one in words]
    assert [word for word in (*SAID, *LATER, "kept-title") if word not in repr(before)] == []
    assert [word for word in (*SAID, *LATER) if word.encode() in b"".join(record.value or b"" for record in sent)] == []
    await forget(town, case)
    while await relay.round():
        continue
    last = {record.key: record.value for record in await records(town, "keys")}  # what compaction leaves
    assert {id: value is None for id, value in last.items()} == {case["id"]: True, other["id"]: False}
    after = repr([(await keys_left(town)).read(*one) for one in words])
    assert [word for word in (*SAID, *LATER) if word in after] == []
    assert "kept-title" in after


async def test_filing_takes_as_many_operations_as_before_with_a_key_of_its_own(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.file()  # by now the catalogue, the places and the resident are known
    done: list[str] = []
    for operation in ("find", "find_one", "find_or_make", "insert", "update", "bulk", "aggregate", "count"):
        _count(monkeypatch, operation, done)
    await town.file()
    assert done.count("insert cases") == 1
    assert [one for one in done if one.endswith(" keys")] == []
    assert len(done) == FILING, done


def _count(monkeypatch: pytest.MonkeyPatch, operation: str, done: list[str]) -> None:
    plain = getattr(Mongo, operation)

    async def counted(mongo: Mongo, name: str, *given: Any, **more: Any) -> Any:
        done.append(f"{operation} {name}")
        return await plain(mongo, name, *given, **more)

    monkeypatch.setattr(Mongo, operation, counted)
