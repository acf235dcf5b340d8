"""Codes as people type them, codes that are none, and a second factor whose clock is off or that is used twice."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest

from tests.members.support import ADMINISTRATOR, COMMUNITY, PHONE, Clock, Members, other_than

CODES, TOKENS, STAFF = "/v1/sign-in/codes", "/v1/sign-in/tokens", "/v1/sign-in/staff"
STATION = {"login": "station-1", "name": "李站长", "roles": ["handler"], "places": [COMMUNITY]}
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
TYPED = (
    lambda code: code.translate(FULL_WIDTH),
    lambda code: f"{code[:3]} {code[3:]}",
    lambda code: f"　{code[:3]}　{code[3:]}\n",
)
MALFORMED = ("12345", "1234567", "12345a", "一二三四五六", "", "123-456", "１２３４５", "12345\u0660")


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "in")


async def opened(members: Members) -> dict[str, Any]:
    account: dict[str, Any] = (await members.post(ADMINISTRATOR, "/v1/accounts", STATION)).json()
    return account


def otp_of(members: Members, account: dict[str, Any], steps: int = 0) -> str:
    at = members.clock.now() + timedelta(seconds=30 * steps)
    return str(pyotp.TOTP(account["totp_secret"]).at(at))


async def at_desk(members: Members, account: dict[str, Any], otp: str) -> tuple[int, str]:
    body = {"login": account["login"], "password": account["password"], "otp": otp}
    return outcome(await members.post(None, STAFF, body))


@pytest.mark.parametrize("typed", TYPED)
async def test_a_code_in_full_width_or_with_spaces_signs_in_by_phone_and_as_staff(members: Members, typed: Any) -> None:
    await members.post(None, CODES, {"phone": PHONE})
    body = {"phone": PHONE, "code": typed(await members.code_for(PHONE))}
    assert outcome(await members.post(None, TOKENS, body)) == (201, "in")
    account = await opened(members)
    assert await at_desk(members, account, typed(otp_of(members, account))) == (201, "in")


async def test_what_has_no_six_digits_is_no_wrong_try(members: Members) -> None:
    await members.post(None, CODES, {"phone": PHONE})
    right, account = await members.code_for(PHONE), await opened(members)
    for code in MALFORMED:
        assert outcome(await members.post(None, TOKENS, {"phone": PHONE, "code": code})) == (422, "invalid")
        assert await at_desk(members, account, code) == (422, "invalid")
    for wrong in [other_than(right)] * 4:
        assert outcome(await members.post(None, TOKENS, {"phone": PHONE, "code": wrong})) == (401, "code-wrong")
    assert outcome(await members.post(None, TOKENS, {"phone": PHONE, "code": right})) == (201, "in")
    assert await at_desk(members, account, otp_of(members, account)) == (201, "in")


@pytest.mark.parametrize(("steps", "expected"), [(-2, 401), (-1, 201), (0, 201), (1, 201), (2, 401)])
async def test_a_second_factor_whose_clock_is_off_by_one_step_is_good_by_two_it_is_not(
    members: Members, steps: int, expected: int
) -> None:
    account = await opened(members)
    members.clock.ahead = timedelta(seconds=15 - members.clock.now().timestamp() % 30)  # the middle of a step
    assert (await at_desk(members, account, otp_of(members, account, steps)))[0] == expected


async def test_a_second_factor_is_good_once_also_with_the_clock_of_another_step(members: Members, clock: Clock) -> None:
    account = await opened(members)
    clock.ahead = timedelta(seconds=15 - clock.now().timestamp() % 30)
    code, before = otp_of(members, account), otp_of(members, account, -1)
    assert (await at_desk(members, account, code))[0] == 201
    clock.forward(seconds=20)  # in the next step the code would be good still
    assert await at_desk(members, account, code) == (401, "sign-in-wrong")
    assert await at_desk(members, account, before) == (401, "sign-in-wrong")
    assert (await at_desk(members, account, otp_of(members, account)))[0] == 201


async def test_one_second_factor_at_many_desks_at_once_lets_one_in(members: Members) -> None:
    account = await opened(members)
    code = otp_of(members, account)
    desks = await asyncio.gather(*(at_desk(members, account, code) for _ in range(4)))
    assert sorted(status for status, _ in desks) == [201, 401, 401, 401]
    assert await members.count("sessions") == 1


async def test_two_codes_that_are_both_good_now_are_each_good_once(members: Members, clock: Clock) -> None:
    account = await opened(members)
    clock.ahead = timedelta(seconds=15 - clock.now().timestamp() % 30)
    earlier, later = otp_of(members, account, -1), otp_of(members, account, 1)
    assert [(await at_desk(members, account, code))[0] for code in (earlier, later, later, earlier)] == [
        201,
        201,
        401,
        401,
    ]
