"""Numbers that others may have by now: whose a silent phone is, and what becomes of the file of who had it."""

import asyncio
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.values import id_from
from services.contracts.requests import tracking
from services.members.accounts.phones import commands as changing
from services.members.accounts.sessions import commands as sessions
from services.members.people.phones import commands as phones
from tests.members.support import OPERATOR, PHONE, Clock, Members
from tests.members.test_phones import CODES, HOTLINE, OTHER, REFRESH, TOKENS, enter, me, outcome, own, registered

DAY = 24 * 3600
YEAR = 366 * DAY


async def filed_case(members: Members, person: str) -> dict[str, str]:
    """Number and code of a case of somebody, as members knows it from requests."""
    day, part = "261123", id_from("case", person)[5:10].upper()
    number = f"{day}-{part}-{tracking.check(day + part)}"
    state = {"number": number, "resident_id": person, "gone": False}
    await members.container.mongo.insert("copies_case", {"_id": f"case_{part.lower()}", "version": 1, "state": state})
    blind = members.container.vault.master.blind(tracking.BLIND, number)
    return {"case_number": number, "tracking_code": tracking.code_from(blind)}


async def test_a_phone_that_is_in_use_asks_nothing_however_old_the_file_is(members: Members, clock: Clock) -> None:
    first = await me(members, await enter(members))
    for _ in range(3):
        clock.forward(seconds=80 * DAY)
        assert (await me(members, await enter(members)))["id"] == first["id"]


async def test_a_silent_phone_asks_for_the_name_or_for_a_case_with_its_code(members: Members, clock: Clock) -> None:
    person = (await registered(members, PHONE, name="張三豐")).json()["id"]
    for proof in ({"name": "张三丰"}, await filed_case(members, person)):
        clock.forward(seconds=YEAR)
        refused = await enter(members)
        assert outcome(refused) == (409, "phone-silent")
        assert "new_owner" in refused.json()["detail"], "it says what to do"
        body = {"phone": PHONE, "code": await members.code_for(PHONE), **proof}
        assert (await me(members, await members.post(None, TOKENS, body)))["id"] == person
    assert (await me(members, await enter(members)))["id"] == person, "it is silent no more"


async def test_a_wrong_answer_counts_as_a_wrong_code_and_a_case_of_another_is_none(
    members: Members, clock: Clock
) -> None:
    person = (await registered(members, PHONE, name="张三丰")).json()["id"]
    mine, theirs = await filed_case(members, person), await filed_case(members, "person_other")
    clock.forward(seconds=YEAR)
    await members.post(None, CODES, {"phone": PHONE})
    right = {"phone": PHONE, "code": await members.code_for(PHONE)}
    false: list[dict[str, Any]] = [
        {"name": "李四"},
        theirs,
        {**mine, "tracking_code": theirs["tracking_code"]},
        {"case_number": mine["case_number"]},
        {"name": "李四", "new_owner": True},
    ]
    for answer in false:
        assert outcome(await members.post(None, TOKENS, {**right, **answer})) == (401, "holder-unproven")
    locked = await members.post(None, TOKENS, {**right, "name": "张三丰"})
    assert outcome(locked) == (429, "too-many-wrong-codes")
    assert await members.count("sessions") == 0


async def test_a_new_owner_starts_afresh_and_the_old_file_has_no_phone_and_no_session(
    members: Members, clock: Clock
) -> None:
    before = await enter(members)
    old = await me(members, before)
    await own(members, before, "PUT", "/v1/me", {"name": "王五", "address": "东山路 1 号"})
    clock.forward(seconds=YEAR)
    stale = await enter(members, new_owner=True)
    new = await me(members, stale)
    assert (new["id"] != old["id"], new["account"] != old["account"]) == (True, True)
    assert (new["name"], new["address"], new["phone"]) == (None, None, f"+86{PHONE}")
    left = await members.get(HOTLINE, f"/v1/people/{old['id']}")
    assert (left.json()["phone"], left.json()["name"]) == (None, "王**")
    session = await members.post(None, REFRESH, {"refresh_token": before.json()["refresh_token"]})
    assert outcome(session) == (401, "session-over")
    ended = await members.container.mongo.find("sessions", {"state.account_id": old["account"]}, limit=2)
    assert [one["state"]["open"] for one in ended] == [False], "it is not only idle: its tokens are refused everywhere"
    found = (await members.post(HOTLINE, "/v1/people/find", {"phone": PHONE})).json()["items"]
    assert [one["id"] for one in found] == [new["id"]]
    phone = (await members.container.mongo.find("phones", {}, limit=2))[0]
    kinds = [entry["type"].rpartition(".")[2] for entry in phone["history"]]
    assert kinds == ["PhoneTaken", "PhoneConfirmed", "PhoneReleased", "PhoneTaken", "PhoneConfirmed"]
    assert PHONE not in str(phone)


@pytest.mark.parametrize("step", ["lose_phone", "register_by_phone", "accept_code"])
async def test_after_a_break_a_new_owner_gets_the_phone_by_the_same_code_and_the_old_one_loses_it(
    members: Members, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable(retry_after=1)

    old = (await registered(members, PHONE, name="张三丰")).json()["id"]
    clock.forward(seconds=YEAR)
    with monkeypatch.context() as broken:
        broken.setattr(sessions, step, away)
        assert (await enter(members, new_owner=True)).status_code == 503
    body = {"phone": PHONE, "code": await members.code_for(PHONE), "new_owner": True}
    new = await me(members, await members.post(None, TOKENS, body))
    assert new["id"] != old
    assert (await members.get(OPERATOR, f"/v1/people/{old}")).json()["phone"] is None


async def test_who_proves_it_after_a_break_in_the_handing_over_has_the_phone_again(
    members: Members, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise Unavailable(retry_after=1)

    old = (await registered(members, PHONE, name="张三丰")).json()["id"]
    clock.forward(seconds=YEAR)
    with monkeypatch.context() as broken:
        broken.setattr(phones, "hand_over", away)
        assert (await enter(members, new_owner=True)).status_code == 503
    again = await me(members, await enter(members, name="张三丰"))
    assert (again["id"], again["phone"]) == (old, f"+86{PHONE}")


async def test_a_number_that_is_not_in_the_file_any_more_takes_no_other_with_it(
    members: Members, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable(retry_after=1)

    tokens = await enter(members)
    old = (await me(members, tokens))["id"]
    await own(members, tokens, "POST", "/v1/me/phone/codes", {"phone": OTHER})
    body = {"phone": OTHER, "code": await members.code_for(OTHER)}
    with monkeypatch.context() as broken:
        broken.setattr(changing, "release", away)
        assert (await own(members, tokens, "PUT", "/v1/me/phone", body)).status_code == 503
    clock.forward(seconds=YEAR)
    assert (await me(members, await enter(members, OTHER, new_owner=True)))["id"] != old
    assert (await me(members, tokens))["phone"] == f"+86{PHONE}", "the file had the other number still"


async def test_new_owners_at_the_same_instant_are_one(members: Members, clock: Clock) -> None:
    await registered(members, PHONE, name="张三丰")
    clock.forward(seconds=YEAR)
    await members.post(None, CODES, {"phone": PHONE})
    body = {"phone": PHONE, "code": await members.code_for(PHONE), "new_owner": True}
    answers = await asyncio.gather(*(members.post(None, TOKENS, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert await members.count("people") == 2


async def test_an_operator_whose_caller_has_a_silent_phone_asks_for_the_name(members: Members, clock: Clock) -> None:
    old = (await registered(members, PHONE, name="张三丰")).json()["id"]
    clock.forward(seconds=YEAR)
    assert outcome(await registered(members, PHONE)) == (409, "caller-uncertain")
    assert (await registered(members, PHONE, name="張三丰")).json()["id"] == old
    clock.forward(seconds=YEAR)
    new = (await registered(members, PHONE, name="李四")).json()["id"]
    assert new != old
    assert (await members.get(OPERATOR, f"/v1/people/{old}")).json()["phone"] is None
    assert (await registered(members, PHONE)).json()["id"] == new, "it is theirs since then"
    clock.forward(seconds=80 * DAY)
    assert (await registered(members, PHONE, name="李四")).json()["id"] == new
    clock.forward(seconds=20 * DAY)
    assert outcome(await enter(members)) == (409, "phone-silent"), (
        "a call shows no number for sure: it confirms nothing"
    )


async def test_a_caller_with_another_name_than_that_of_a_phone_in_use_is_not_taken_for_its_holder(
    members: Members,
) -> None:
    old = (await registered(members, PHONE, name="张三丰")).json()["id"]
    assert outcome(await registered(members, PHONE, name="李四")) == (409, "caller-uncertain")
    assert (await registered(members, PHONE)).json()["id"] == old, "who shares it is registered without a name"
    gone = await members.put(OPERATOR, f"/v1/people/{old}/phone", {"phone": None, "reason": "号码已换人"})
    assert gone.status_code == 200
    assert (await registered(members, PHONE, name="李四")).json()["id"] != old
    nameless = (await registered(members, OTHER)).json()["id"]
    assert (await registered(members, OTHER, name="王五")).json()["id"] == nameless


async def test_who_says_that_a_number_in_use_is_new_to_them_gets_neither_the_old_file_nor_the_number(
    members: Members, clock: Clock
) -> None:
    old = (await me(members, await enter(members)))["id"]
    clock.forward(seconds=30 * DAY)
    refused = await enter(members, new_owner=True)
    assert outcome(refused) == (409, "phone-in-use")
    assert "话务员" in refused.json()["detail"], "it says what to do"
    await members.put(HOTLINE, f"/v1/people/{old}/phone", {"phone": None, "reason": "号码已换人"})
    new = await me(members, await enter(members, new_owner=True))
    assert new["id"] != old
    clock.forward(seconds=30 * DAY)
    assert (await me(members, await enter(members)))["id"] == new["id"]


@pytest.mark.parametrize("name", ["王先生", "王女士", "李小姐", "张师傅", "刘阿姨", "王"])
async def test_a_name_that_is_guessed_at_once_proves_nothing(members: Members, clock: Clock, name: str) -> None:
    await registered(members, PHONE, name=name)
    clock.forward(seconds=YEAR)
    assert outcome(await enter(members, name=name)) == (401, "holder-unproven")


async def test_after_three_wrong_names_only_a_case_shows_whose_a_silent_phone_is(
    members: Members, clock: Clock
) -> None:
    person = (await registered(members, PHONE, name="张三丰")).json()["id"]
    case = await filed_case(members, person)
    clock.forward(seconds=YEAR)
    for name in ("李四", "王五", "赵六", "张三丰"):
        assert outcome(await enter(members, name=name)) == (401, "holder-unproven")
    clock.forward(seconds=DAY)
    assert outcome(await enter(members, name="张三丰")) == (401, "holder-unproven"), "also by another code"
    clock.forward(seconds=DAY)
    assert (await me(members, await enter(members, **case)))["id"] == person
    clock.forward(seconds=YEAR)
    assert (await me(members, await enter(members, name="张三丰")))["id"] == person
