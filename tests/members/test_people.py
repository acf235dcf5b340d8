"""People: one per phone, masked for others, in clear for a recorded reason."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.scope import Actor
from services.members.people.phones import model as phones
from tests.members.support import (
    ADMINISTRATOR,
    CITY,
    COMMUNITY,
    COUNTY,
    DISPATCHER,
    FAR_COMMUNITY,
    FAR_DISPATCHER,
    OPERATOR,
    PHONE,
    Members,
)
from tests.support.calls import CALLS
from tests.support.world import keyed

CALLER = {"name": "张三丰", "phone": PHONE, "address": "正阳街 5 号", "area": COMMUNITY}
REASON = {"reason": "回访核实"}


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def registered(members: Members, **more: Any) -> str:
    answer = await members.post(OPERATOR, "/v1/people", {**CALLER, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@given(st.integers(0, 10**8 - 1))
def test_a_number_is_the_same_however_it_is_written(rest: int) -> None:
    digits = f"138{rest:08d}"
    spelled = {digits, f"+86 {digits}", f"0086{digits}", f"{digits[:3]} {digits[3:7]} {digits[7:]}", f"+86{digits}"}
    assert {phones.e164(text) for text in spelled} == {f"+86{digits}"}
    assert phones.masked_phone(f"+86{digits}") == f"138****{digits[-4:]}"


async def test_a_caller_is_registered_and_shown_masked(members: Members) -> None:
    made = await members.post(OPERATOR, "/v1/people", CALLER)
    assert made.json() == {"id": made.json()["id"], "phone": "138****0001", "voice_only": False}
    shown = await members.get(DISPATCHER, made.headers["Location"])
    assert shown.json() == {**made.json(), "name": "张**", "address": "***", "area": COMMUNITY}


@pytest.mark.parametrize("area", [FAR_COMMUNITY, "150702001099"], ids=["not hers", "not there"])
async def test_for_a_place_that_is_refused_a_known_phone_and_an_unknown_one_are_the_same(
    members: Members, area: str
) -> None:
    await registered(members)
    before, seen = await members.count("phones"), []
    for phone in (PHONE, "13800000002"):
        with CALLS.counted() as calls:
            refused = await members.post(OPERATOR, "/v1/people", {**CALLER, "phone": phone, "area": area})
        seen.append((outcome(refused), calls["find"]))
    assert seen[0] == seen[1]
    assert seen[0][0] in {(403, "outside-your-places"), (422, "area-not-open")}
    assert await members.count("phones") == before


async def test_the_same_phone_is_the_same_person_however_often_and_however_written(members: Members) -> None:
    first = await registered(members)
    assert await registered(members, phone="+86 138-0000-0001", name=None) == first
    assert await registered(members, phone="13800000002") != first
    assert await members.count("people") == 2


async def test_twins_that_register_a_phone_at_the_same_instant_make_one_person(members: Members) -> None:
    assert len(set(await asyncio.gather(*(registered(members) for _ in range(6))))) == 1
    assert await members.count("people") == 1


async def test_a_key_used_for_one_phone_is_refused_for_another(members: Members) -> None:
    key = keyed()
    async with members.client(OPERATOR) as client:
        first, again = [await client.post("/v1/people", json=CALLER, headers=key) for _ in range(2)]
        other = await client.post("/v1/people", json={**CALLER, "phone": "13800000002"}, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert outcome(other) == (422, "key-reused")
    assert await members.count("people") == 1


async def test_a_caller_without_an_area_counts_to_the_place_of_the_operator(members: Members) -> None:
    person = await registered(members, area=None)
    assert (await members.get(OPERATOR, f"/v1/people/{person}")).json()["area"] == COUNTY


async def test_an_operator_registers_nobody_in_another_county_but_gets_the_id_of_who_lives_there(
    members: Members,
) -> None:
    refused = await members.post(OPERATOR, "/v1/people", {**CALLER, "area": FAR_COMMUNITY})
    assert outcome(refused) == (403, "outside-your-places")
    elsewhere = replace(OPERATOR, id="account_elsewhere", places=(FAR_COMMUNITY,))
    known = await members.post(elsewhere, "/v1/people", {"phone": PHONE})
    assert await registered(members) == known.json()["id"]
    assert (await members.get(OPERATOR, f"/v1/people/{known.json()['id']}")).status_code == 404


async def test_unmasking_shows_all_and_leaves_a_trace_with_reason_and_who(members: Members) -> None:
    person = await registered(members)
    clear = await members.post(DISPATCHER, f"/v1/people/{person}/unmask", REASON)
    assert clear.json() == {**CALLER, "phone": f"+86{PHONE}", "id": person}
    last = (await members.history("people", person))[-1]
    assert (last.type, last.published, last.by) == ("linli.members.PersonUnmasked", False, DISPATCHER.id)
    assert last.private["who"] == DISPATCHER.id
    await members.container.vault.ensure_keys([person])
    assert members.container.vault.open(last.private["reason"], person, "reason") == REASON["reason"]


async def test_unmasking_again_with_the_same_key_leaves_no_second_trace(members: Members) -> None:
    person, key = await registered(members), keyed()
    async with members.client(DISPATCHER) as client:
        answers = [await client.post(f"/v1/people/{person}/unmask", json=REASON, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(await members.history("people", person)) == 2


async def test_a_name_is_corrected_by_an_operator_with_a_reason_and_both_stay_in_the_history(members: Members) -> None:
    person = await registered(members)
    path, correction = f"/v1/people/{person}/name", {"name": "张珊", "reason": "身份证上这样写"}
    for _ in range(2):
        assert (await members.put(OPERATOR, path, correction)).status_code == 200
    first, last = await members.history("people", person)
    await members.container.vault.ensure_keys([person])
    names = [members.container.vault.open(one.data["name"], person, "name") for one in (first, last)]
    assert names == [CALLER["name"], "张珊"]
    assert members.container.vault.open(last.data["reason"], person, "reason") == "身份证上这样写"
    clear = (await members.post(DISPATCHER, f"/v1/people/{person}/unmask", REASON)).json()
    assert clear == {**CALLER, "name": "张珊", "phone": f"+86{PHONE}", "id": person}
    assert outcome(await members.put(OPERATOR, path, {"name": "张珊"})) == (422, "invalid")
    assert outcome(await members.put(DISPATCHER, path, correction)) == (403, "forbidden")
    assert [
        one["id"] for one in (await members.post(OPERATOR, "/v1/people/find", {"name": "张珊"})).json()["items"]
    ] == [person]


async def test_staff_of_another_place_and_other_residents_find_nobody(members: Members) -> None:
    person = await registered(members)
    stranger = Actor("account_x", frozenset({"resident"}), person="person_x")
    for actor in (FAR_DISPATCHER, stranger):
        assert outcome(await members.get(actor, f"/v1/people/{person}")) == (404, "not-found")
    assert outcome(await members.post(FAR_DISPATCHER, f"/v1/people/{person}/unmask", REASON)) == (404, "not-found")
    assert outcome(await members.post(stranger, f"/v1/people/{person}/unmask", REASON)) == (403, "forbidden")
    assert outcome(await members.post(ADMINISTRATOR, f"/v1/people/{person}/unmask", REASON)) == (403, "forbidden")
    assert len(await members.history("people", person)) == 1


async def test_anyone_who_came_by_phone_is_seen_by_those_of_the_whole_city_only(members: Members) -> None:
    tokens = await members.signed_in()
    person = (await members.with_token("GET", "/v1/me", tokens["access_token"])).json()["id"]
    hotline = replace(OPERATOR, id="account_hotline", places=(CITY,))
    assert (await members.get(hotline, f"/v1/people/{person}")).json()["phone"] == "138****0001"
    assert (await members.post(hotline, f"/v1/people/{person}/unmask", REASON)).status_code == 200
    assert outcome(await members.get(OPERATOR, f"/v1/people/{person}")) == (404, "not-found")


async def test_the_leader_of_a_volunteer_team_sees_nobody_but_themselves(members: Members) -> None:
    person = await registered(members)
    own = await registered(members, phone="13800000002")
    leader = Actor("account_leader", frozenset({"handler"}), (COMMUNITY,), ("team_1",), person=own)
    for places in ((COMMUNITY,), (CITY,)):
        leading = replace(leader, places=places)
        assert outcome(await members.get(leading, f"/v1/people/{person}")) == (404, "not-found")
        assert outcome(await members.post(leading, f"/v1/people/{person}/unmask", REASON)) == (404, "not-found")
        assert (await members.get(leading, f"/v1/people/{own}")).status_code == 200
    handler = replace(leader, organisations=("team_1", "organisation_1"))
    assert (await members.post(handler, f"/v1/people/{person}/unmask", REASON)).status_code == 200


async def test_a_resident_sets_the_own_profile_and_sees_it_in_clear(members: Members) -> None:
    person = await registered(members)
    self = Actor("account_1", frozenset({"resident"}), person=person)
    body = {"name": "张三", "address": "东山路 1 号", "area": FAR_COMMUNITY}
    changed = await members.put(self, "/v1/me", body)
    assert changed.json() == (await members.get(self, "/v1/me")).json()
    assert changed.json() == {
        **body,
        "id": person,
        "phone": f"+86{PHONE}",
        "account": "account_1",
        "roles": ["resident"],
        "places": [],
        "organisations": [],
    }
    assert (await members.put(self, "/v1/me", body)).headers["ETag"] == changed.headers["ETag"]
    assert (await members.get(DISPATCHER, f"/v1/people/{person}")).status_code == 404
    assert (await members.get(FAR_DISPATCHER, f"/v1/people/{person}")).status_code == 200


async def test_a_profile_is_not_emptied_by_a_request_without_a_body(members: Members) -> None:
    self = Actor("account_1", frozenset({"resident"}), person=await registered(members))
    before = (await members.put(self, "/v1/me", {"name": "王五", "address": "一单元"})).json()
    assert (await members.put(self, "/v1/me")).status_code == 422
    assert (await members.get(self, "/v1/me")).json() == before


@pytest.mark.parametrize("body", [{"phone": PHONE}, {"roles": ["administrator"]}, {"id": "person_x"}, {"area": "9999"}])
async def test_a_profile_takes_no_phone_no_roles_and_no_place_that_is_not_there(members: Members, body: object) -> None:
    self = Actor("account_1", frozenset({"resident"}), person=await registered(members))
    assert (await members.put(self, "/v1/me", body)).status_code == 422


async def test_mongo_operators_in_texts_are_texts(members: Members) -> None:
    name = '{"$ne": null} $where state.name'
    person = await registered(members, name=name)
    clear = await members.post(DISPATCHER, f"/v1/people/{person}/unmask", REASON)
    assert clear.json()["name"] == name
    assert (await members.post(OPERATOR, "/v1/people", {**CALLER, "name": {"$ne": ""}})).status_code == 422
    assert (await members.get(DISPATCHER, "/v1/people/$ne")).status_code == 404


async def test_personal_data_is_nowhere_unencrypted_in_the_database(members: Members) -> None:
    person = await registered(members)
    await members.post(DISPATCHER, f"/v1/people/{person}/unmask", REASON)
    raw = str([await members.container.mongo.find(name, {}, limit=50) for name in ("people", "claims", "keys")])
    for canary in (CALLER["name"], CALLER["phone"], CALLER["address"], REASON["reason"]):
        assert canary not in raw
