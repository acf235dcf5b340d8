"""People are found by their sealed names, by those who may see them, and by nobody once their key is gone."""

from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.scope import Actor, system_actor
from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.messaging.kafka import Publisher, create_topics
from services.chassis.messaging.relay import Relay
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.histories import wrong_state
from services.chassis.operations.ledger.rebuild import rebuild
from services.chassis.operations.protocol import RebuildRequest
from services.chassis.storage import search
from services.chassis.storage.audit import Action
from services.chassis.storage.claims import Conflict
from services.chassis.storage.mongo import Document
from services.chassis.storage.vault import Vault
from services.contracts.members.people import ProfileChanged
from services.members.app import service
from services.members.people.model import Person
from services.members.people.queries import PEOPLE, PersonQuery
from tests.members.support import (
    CITY,
    COMMUNITY,
    COUNTY,
    DISPATCHER,
    FAR_DISPATCHER,
    OPERATOR,
    PHONE,
    Members,
)

NAME = "张三丰"


async def registered(members: Members, name: str = NAME, phone: str = PHONE) -> str:
    answer = await members.post(OPERATOR, "/v1/people", {"name": name, "phone": phone, "area": COMMUNITY})
    return str(answer.json()["id"])


async def found(members: Members, actor: Actor, q: str) -> list[str]:
    answer = await members.post(actor, "/v1/people/find", {"name": q})
    assert answer.status_code == 200, answer.text
    return [person["id"] for person in answer.json()["items"]]


async def test_all_keys_for_a_search_are_loaded_at_once_and_one_that_is_not_here_does_not_fail_it(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await registered(members, phone=f"1390000000{number}") for number in range(6)]
    people = [await members.container.system_context("test", "read").store.get(Person, id) for id in ids]
    await members.container.mongo.delete("keys", {"_id": ids[2]})
    mongo, asked = members.container.mongo, list[str]()
    find = mongo.find

    async def note(name: str, *args: Any, **kwargs: Any) -> list[Document]:
        asked.append(name)
        return await find(name, *args, **kwargs)

    monkeypatch.setattr(mongo, "find", note)
    having = await search.having(people, NAME, Vault(mongo, members.container.vault.master))
    assert [person.id for person in having] == [*ids[:2], *ids[3:]]
    assert asked == ["keys"]


async def document(members: Members, person: str) -> Document:
    stored = await members.container.mongo.find_one("people", {"_id": person})
    assert stored is not None
    return stored


def blind(stored: Document) -> list[str]:
    return [token for token in stored[search.FIELD] if token not in search.plain(stored)]


async def erased(members: Members, person: str) -> None:
    """The key of a person goes, and the relay says so to all."""
    gone = {"$set": {"wrapped": None, "pending": now()}}
    await members.container.mongo.update("keys", {"_id": person}, gone)
    settings = members.world.settings()
    topics = {short: settings.topic(short) for short in ("members", "keys")}
    await create_topics(settings.kafka, topics, 1)
    publisher = Publisher(settings.kafka)
    relay = Relay(
        members.container.mongo, publisher, service.entities, "/test", (topics["members"], topics["keys"]), 50
    )
    try:
        while await relay.round():
            pass
    finally:
        await publisher.stop()


@pytest.mark.parametrize("q", ["张三丰", "三丰", "张三", "張 三", "Ｗang", "WANG"])
async def test_staff_find_a_sealed_name_however_it_is_written_and_see_it_masked(members: Members, q: str) -> None:
    person = await registered(members, f"{NAME} Wang")
    await registered(members, "李四", "13800000002")
    answer = await members.post(DISPATCHER, "/v1/people/find", {"name": q})
    assert [(one["id"], one["name"], one["phone"]) for one in answer.json()["items"]] == [
        (person, "张**", "138****0001")
    ]


async def test_a_name_with_the_same_pairs_in_another_order_is_not_found(members: Members) -> None:
    await registered(members, "一二三一二")
    assert await found(members, DISPATCHER, "二三一二") != []
    assert await found(members, DISPATCHER, "三一二三") == []


async def test_only_staff_find_and_only_those_of_their_places(members: Members) -> None:
    person = await registered(members)
    assert await found(members, OPERATOR, NAME) == [person]
    assert await found(members, FAR_DISPATCHER, NAME) == []
    hotline = replace(OPERATOR, id="account_hotline", places=(CITY,))
    assert await found(members, hotline, NAME) == [person]
    leader = Actor("account_leader", frozenset({"handler"}), (COMMUNITY,), ("team_1",), person="person_x")
    assert await found(members, leader, NAME) == []
    resident = Actor("account_1", frozenset({"resident"}), person=person)
    assert (await members.post(resident, "/v1/people/find", {"name": NAME})).status_code == 403
    assert (await members.post(None, "/v1/people/find", {"name": NAME})).status_code == 401
    for wrong in ({}, {"name": "张"}, {"name": "张" * 41}, {"phone": "12"}, {"phone": PHONE, "name": NAME}):
        assert (await members.post(DISPATCHER, "/v1/people/find", wrong)).status_code == 422


async def test_who_is_found_is_noted_in_the_audit_and_who_is_not_is_not(members: Members) -> None:
    person, _ = await registered(members), await registered(members, "李三丰", "13800000002")
    await found(members, DISPATCHER, NAME)
    entries = await members.container.mongo.find("audit", {"action": Action.LIST.value}, limit=10)
    assert [(entry["actor"], entry["subjects"]) for entry in entries] == [(DISPATCHER.id, [person])]


async def test_the_database_holds_no_part_of_the_name(members: Members) -> None:
    stored = await document(members, await registered(members))
    assert len(blind(stored)) == 2
    assert not any(part in str(stored) for part in ("张三", "三丰", "丰"))


async def test_many_with_one_name_are_found_page_by_page(members: Members) -> None:
    people = {await registered(members, NAME, f"1380000{number:04}") for number in range(7)}
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await members.post(DISPATCHER, "/v1/people/find", {"name": NAME, "limit": 3, **after})).json()
        seen += [person["id"] for person in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == sorted(people)


async def test_nobody_is_found_whose_key_is_gone_and_their_tokens_go_with_it(members: Members) -> None:
    person, other = await registered(members), await registered(members, NAME, "13800000002")
    await erased(members, person)
    assert await found(members, DISPATCHER, NAME) == [other]
    assert blind(await document(members, person)) == []
    assert not await members.container.mongo.count("keys", {"pending": {"$exists": True}}, 9)


async def test_a_key_that_is_gone_is_enough_while_tokens_are_still_there(members: Members) -> None:
    person = await registered(members)
    await members.container.mongo.update("keys", {"_id": person}, {"$set": {"wrapped": None}})
    fresh = await members.world.container(service)  # another process, which has never held the key
    try:
        page = await PEOPLE.page(fresh.context(DISPATCHER, "read").store, PersonQuery(name=NAME))
        assert page.items == []
    finally:
        await fresh.mongo.close()


async def test_a_writer_that_still_holds_the_key_brings_no_token_back(members: Members) -> None:
    person = await registered(members)
    await erased(members, person)
    resident = Actor("account_1", frozenset({"resident"}), person=person)
    changed = await members.put(resident, "/v1/me", {"name": "张三丰二", "area": COMMUNITY})
    assert changed.status_code == 200, "the process has not heard of it yet"
    assert blind(await document(members, person)) == []
    assert await found(members, DISPATCHER, NAME) == []


async def test_anyone_who_writes_while_a_person_is_forgotten_has_to_write_again(members: Members) -> None:
    person = await registered(members)
    store = members.container.context(system_actor("test"), "test:1", within=visible).store
    await members.container.vault.ensure_keys([person])
    sealed = members.container.vault.seal("王五", person, "name")
    with pytest.raises(Conflict):
        async with store.change(Person, person) as loaded:
            loaded.record(ProfileChanged(name=sealed, area=COUNTY))
            await search.forget(members.container.mongo, service.entities, [person])
    assert blind(await document(members, person)) == []


async def test_rebuild_makes_the_tokens_again_and_none_of_the_forgotten(members: Members) -> None:
    person, gone = await registered(members), await registered(members, NAME, "13800000002")
    before = await document(members, person)
    await search.forget(members.container.mongo, service.entities, [gone])
    await members.container.mongo.update("people", {"_id": person}, {"$set": {search.FIELD: ["t:x"]}})
    assert wrong_state(Person, await document(members, person)) == "differs in terms"
    answer = await rebuild(service, members.world.settings(), RebuildRequest(kind="person", write=True), quietly)
    assert (answer.found.looked_at, answer.found.mended) == (2, 1)
    assert await document(members, person) == before
    assert blind(await document(members, gone)) == []


@pytest.mark.parametrize("typed", [PHONE, f"+86 {PHONE}", PHONE.translate({n: n + 0xFEE0 for n in range(48, 58)})])
async def test_staff_find_who_has_a_phone_however_it_is_typed_and_only_in_their_places(
    members: Members, typed: str
) -> None:
    person = await registered(members)
    for actor, expected in ((OPERATOR, [person]), (FAR_DISPATCHER, [])):
        answer = await members.post(actor, "/v1/people/find", {"phone": typed})
        assert [one["id"] for one in answer.json()["items"]] == expected
    unknown = await members.post(OPERATOR, "/v1/people/find", {"phone": "13999999999"})
    assert unknown.json() == {"items": [], "next": None}
