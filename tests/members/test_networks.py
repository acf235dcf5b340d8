"""Codes that are asked for from one address, and in all: growing waits, a little work instead, halls that are known."""

import asyncio
import hashlib
import itertools
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.members.accounts.networks import model
from tests.members.support import GATEWAY_SAYS, HALL, HALL_BY_IPV6, OPERATOR, PHONE, Clock, Members
from tests.support.world import keyed

CODES = "/v1/sign-in/codes"
ADDRESS, NEIGHBOUR = "203.0.113.7", "203.0.113.8"


async def ask(members: Members, phone: str, address: str = ADDRESS, **more: Any) -> httpx.Response:
    async with members.client() as client:
        headers = {GATEWAY_SAYS: address, **more.pop("headers", {})}
        return await client.post(CODES, json={"phone": phone, **more}, headers=headers)


def phone(number: int) -> str:
    return f"1390000{number:04}"


async def filled(members: Members, count: int = 5, address: str = ADDRESS, first: int = 0) -> None:
    for number in range(first, first + count):
        answer = await ask(members, phone(number), address)
        assert answer.status_code == 202, answer.text


def solved(problem: dict[str, Any]) -> str:
    """As the README shows it."""
    challenge, bits = problem["params"]["challenge"], problem["params"]["bits"]
    for nonce in itertools.count():
        work = f"{challenge}.{nonce}"
        if int.from_bytes(hashlib.sha256(work.encode()).digest(), "big") >> (256 - bits) == 0:
            return work
    raise AssertionError


async def test_ten_codes_to_ten_phones_from_one_address_in_a_row_do_not_pass(members: Members) -> None:
    answers = [await ask(members, phone(number)) for number in range(10)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 5
    refused = answers[5]
    assert refused.json()["code"] == "work-or-wait"
    assert 28 <= int(refused.headers["Retry-After"]) <= 30
    assert refused.json()["params"]["bits"] == 15
    assert await members.count("phonecodes") == 5, "nothing was sent to the others"
    assert (await ask(members, phone(6), NEIGHBOUR)).status_code == 202


async def test_waits_grow_and_who_waits_needs_no_work(members: Members, clock: Clock) -> None:
    await filled(members)
    for number, seconds in enumerate((30, 60, 120), start=10):
        refused = await ask(members, phone(number))
        assert seconds - 2 <= int(refused.headers["Retry-After"]) <= seconds
        clock.forward(seconds=seconds)
        assert (await ask(members, phone(number))).status_code == 202
    clock.forward(seconds=3601)
    await filled(members)


async def test_work_replaces_the_wait_once_and_for_this_phone_and_address_only(members: Members) -> None:
    await filled(members)
    work = solved((await ask(members, phone(5))).json())
    assert (await ask(members, phone(6), work=work)).status_code == 429, "of another phone"
    await filled(members, address=NEIGHBOUR, first=20)
    assert (await ask(members, phone(5), NEIGHBOUR, work=work)).status_code == 429, "of another address"
    assert (await ask(members, phone(5), work=work)).status_code == 202
    again = await ask(members, phone(5), work=work)
    assert (again.status_code, again.json()["code"]) == (429, "work-or-wait"), "it was spent"


async def test_work_that_is_not_done_forged_or_late_is_none(members: Members, clock: Clock) -> None:
    await filled(members)
    problem = (await ask(members, phone(5))).json()
    work = solved(problem)
    bits, until, mark, nonce = work.split(".")
    for forged in (
        f"1.{until}.{mark}.{nonce}",
        f"{bits}.{int(until) + 900}.{mark}.{nonce}",
        f"{bits}.{until}.00.{nonce}",
    ):
        assert (await ask(members, phone(5), work=forged)).status_code == 429
    for none in ("", "x", f"{work}.1", {"$gt": ""}, "9" * 300):
        assert (await ask(members, phone(5), work=none)).status_code == 422
    clock.forward(seconds=301)
    await filled(members, 1)
    assert (await ask(members, phone(5), work=work)).status_code == 429


async def test_a_repeat_of_the_same_request_is_not_counted(members: Members) -> None:
    await filled(members, 4)
    key = keyed()
    for _ in range(5):
        assert (await ask(members, phone(4), headers=key)).status_code == 202
    assert (await ask(members, phone(5))).status_code == 429
    work = solved((await ask(members, phone(5))).json())
    key = keyed()
    for _ in range(3):
        assert (await ask(members, phone(5), headers=key, work=work)).status_code == 202


async def test_one_idempotency_key_for_many_phones_is_many_requests(members: Members) -> None:
    key = keyed()
    answers = [await ask(members, phone(number), headers=key) for number in range(7)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 2
    async with members.client(replace(OPERATOR, person="person_own")) as client:
        headers = {GATEWAY_SAYS: NEIGHBOUR, **keyed()}
        own = [
            await client.post("/v1/me/phone/codes", json={"phone": phone(number)}, headers=headers)
            for number in range(10, 17)
        ]
    assert [answer.status_code for answer in own] == [202] * 5 + [429] * 2


async def test_easy_work_does_not_do_where_harder_work_is_asked_for_by_now(members: Members) -> None:
    await filled(members)
    easy = solved((await ask(members, phone(20))).json())
    for number in range(5, 10):
        work = solved((await ask(members, phone(number))).json())
        assert (await ask(members, phone(number), work=work)).status_code == 202
    refused = await ask(members, phone(20), work=easy)
    assert (refused.status_code, refused.json()["params"]["bits"]) == (429, 16)
    assert (await ask(members, phone(20), work=solved(refused.json()))).status_code == 202


async def test_who_asks_for_very_many_codes_locks_out_nobody_behind_their_address(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "FIRST_BITS", 1)
    monkeypatch.setattr(model, "MOST_BITS", 4)
    await filled(members)
    for number in range(5, 70):
        refused = await ask(members, phone(number))
        assert refused.json()["code"] == "work-or-wait"
        assert (await ask(members, phone(number), work=solved(refused.json()))).status_code == 202
    kept = max(len(one.get("times", {})) for one in await members.container.mongo.find("counters", {}, limit=200))
    assert kept == model.kept(model.FREE_CODES) + 1, "the counter does not grow with them"


async def test_a_customer_of_ipv6_does_not_get_codes_from_each_of_their_networks(members: Members) -> None:
    for number in range(30):
        answer = await ask(members, phone(number), f"2001:db8:1:{number:x}::1")
        assert answer.status_code == 202, answer.text
    refused = await ask(members, phone(30), "2001:db8:1:ff::1")
    assert (refused.status_code, refused.json()["code"]) == (429, "work-or-wait")
    assert (await ask(members, phone(30), "2001:db8:1:ff::1", work=solved(refused.json()))).status_code == 202
    assert (await ask(members, phone(31), "2001:db8:2::1")).status_code == 202, "of another customer"


async def test_of_many_at_the_same_instant_as_many_pass_as_one_after_the_other(members: Members) -> None:
    answers = await asyncio.gather(*(ask(members, phone(number)) for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [429] * 3


async def test_one_piece_of_work_at_many_desks_at_the_same_instant_lets_one_code_out(members: Members) -> None:
    await filled(members)
    work = solved((await ask(members, phone(5))).json())
    answers = await asyncio.gather(*(ask(members, phone(5), work=work) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202] + [429] * 3


async def test_a_service_hall_behind_one_address_works(members: Members) -> None:
    await filled(members, 20, HALL)
    await filled(members, 20, HALL_BY_IPV6, first=20)


async def test_a_busy_city_asks_everybody_for_work_and_so_goes_on(members: Members, clock: Clock) -> None:
    clock.forward(seconds=60 - clock.now().second)  # a minute begins
    now = clock.now()
    minute = {"_id": f"codes|{now:%Y%m%d%H%M}"}
    await members.container.mongo.insert("counters", {**minute, "number": 600, "until": now})
    for sent, address in ((600, ADDRESS), (601, HALL)):
        refused = await ask(members, phone(1), address)
        assert (refused.status_code, refused.json()["code"]) == (429, "work-or-wait")
        assert int(refused.headers["Retry-After"]) <= 60
        assert (await ask(members, phone(1 + len(address)), address)).status_code == 429
        solution = solved((await ask(members, phone(2 + len(address)), address)).json())
        before = await members.container.mongo.find_one("counters", minute)
        assert (await ask(members, phone(2 + len(address)), address, work=solution)).status_code == 202
        after = await members.container.mongo.find_one("counters", minute)
        assert (before and before["number"], after and after["number"]) == (sent, sent + 1), "what is refused is none"
    await members.container.mongo.update("counters", minute, {"$set": {"number": 6000}})
    flooded = await ask(members, phone(9))
    assert (flooded.status_code, flooded.json()["code"]) == (429, "no-codes-now")
    clock.forward(seconds=60)
    assert (await ask(members, phone(10))).status_code == 202


async def test_what_is_refused_for_lack_of_room_in_all_counts_by_network(members: Members, clock: Clock) -> None:
    clock.forward(seconds=60 - clock.now().second)
    now, key = clock.now(), keyed()
    minute = {"_id": f"codes|{now:%Y%m%d%H%M}"}
    await members.container.mongo.insert("counters", {**minute, "number": 600, "until": now})
    for number in (0, 0, 1, 2, 3):
        assert (await ask(members, phone(number), headers=key)).status_code == 429
    assert (await ask(members, phone(0), headers=key)).status_code == 429, "no repeat of what was let through"
    await members.container.mongo.update("counters", minute, {"$set": {"number": 0}})
    assert (await ask(members, phone(0), headers=key)).status_code == 202, "a repeat counts once"
    assert (await ask(members, phone(4))).status_code == 202
    assert (await ask(members, phone(5))).status_code == 429


async def test_a_malformed_phone_counts_for_nothing(members: Members) -> None:
    for _ in range(10):
        assert (await ask(members, "138")).status_code == 422
    await filled(members)


async def test_neither_address_nor_phone_is_kept_in_clear_and_the_database_forgets_the_rest(members: Members) -> None:
    await filled(members)
    found = await members.container.mongo.find("counters", {}, limit=50)
    assert found
    assert all("until" in one for one in found)
    for secret in (ADDRESS, PHONE, phone(0)):
        assert secret not in str(found)
    assert (await members.container.mongo.indexes("counters")).keys() >= {(("until", 1),)}


async def test_who_changes_their_phone_counts_too(members: Members) -> None:
    await filled(members)
    async with members.client(replace(OPERATOR, person="person_own")) as client:
        refused = await client.post("/v1/me/phone/codes", json={"phone": PHONE}, headers={GATEWAY_SAYS: ADDRESS})
    assert (refused.status_code, refused.json()["code"]) == (429, "work-or-wait")


@pytest.mark.parametrize("address", ["", "nonsense", "203.0.113.7,203.0.113.8"])
async def test_addresses_that_are_none_count_as_one(members: Members, address: str) -> None:
    await filled(members, address=address)
    assert (await ask(members, phone(7), "another " + address)).status_code == 429
