"""Phones and their holders: landlines of callers, and corrections by owner and operator."""

from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest

from services.chassis.domain.events import Recorded
from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.scope import Actor
from services.members.accounts.phones import commands as changing
from tests.members.support import CITY, COMMUNITY, OPERATOR, PHONE, Members, other_than

CODES, TOKENS, REFRESH = "/v1/sign-in/codes", "/v1/sign-in/tokens", "/v1/sign-in/refresh"
OTHER = "13800000002"
HOTLINE = replace(OPERATOR, id="account_hotline", places=(CITY,))
REASON = {"reason": "来电核实"}


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "ok")


async def registered(members: Members, phone: str, **more: Any) -> httpx.Response:
    return await members.post(OPERATOR, "/v1/people", {"phone": phone, "area": COMMUNITY, **more})


async def enter(members: Members, phone: str = PHONE, **more: Any) -> httpx.Response:
    """Sign in, with a code that is asked for where none is there."""
    members.clock.forward(seconds=61)
    assert (await members.post(None, CODES, {"phone": phone})).status_code == 202
    return await members.post(None, TOKENS, {"phone": phone, "code": await members.code_for(phone), **more})


def owner(tokens: httpx.Response) -> Actor:
    """Who signed in. The token itself is of the clock that the test moved on."""
    assert tokens.status_code == 201, tokens.text
    claims = jwt.decode(tokens.json()["access_token"], options={"verify_signature": False})
    return Actor(claims["sub"], frozenset(claims["roles"]), person=claims["person"], session=claims["sid"])


async def me(members: Members, tokens: httpx.Response) -> dict[str, Any]:
    profile: dict[str, Any] = (await members.get(owner(tokens), "/v1/me")).json()
    return profile


async def own(members: Members, tokens: httpx.Response, method: str, path: str, body: object) -> httpx.Response:
    async with members.client(owner(tokens)) as client:
        return await client.request(method, path, json=body)


async def test_a_caller_with_a_landline_is_registered_and_the_operator_hears_that_no_texts_reach_them(
    members: Members,
) -> None:
    made = await registered(members, "0470-8123456转801", name="张三")
    assert made.json() == {"id": made.json()["id"], "phone": "470****3456", "voice_only": True}
    assert (await registered(members, "（0470）8123456-801")).json()["id"] == made.json()["id"]
    assert (await registered(members, "0470-8123456-802")).json()["id"] != made.json()["id"]
    clear = await members.post(OPERATOR, f"/v1/people/{made.json()['id']}/unmask", REASON)
    assert clear.json()["phone"] == "+864708123456;ext=801"
    shown = await members.get(OPERATOR, f"/v1/people/{made.json()['id']}")
    assert shown.json()["voice_only"] is True
    assert (await registered(members, PHONE)).json()["voice_only"] is False
    named = await members.put(OPERATOR, f"/v1/people/{made.json()['id']}/name", {"name": "张珊", **REASON})
    assert named.json()["voice_only"] is True, "another name leaves the phone as it is"


async def test_somebody_changes_their_number_with_the_code_that_came_to_the_new_one(members: Members) -> None:
    tokens = await enter(members)
    before = await me(members, tokens)
    assert (await own(members, tokens, "POST", "/v1/me/phone/codes", {"phone": OTHER})).status_code == 202
    right = await members.code_for(OTHER)
    wrong = await own(members, tokens, "PUT", "/v1/me/phone", {"phone": OTHER, "code": other_than(right)})
    assert outcome(wrong) == (401, "code-wrong")
    changed = await own(members, tokens, "PUT", "/v1/me/phone", {"phone": OTHER, "code": right})
    assert changed.json() == {**before, "phone": f"+86{OTHER}"}
    again = await own(members, tokens, "PUT", "/v1/me/phone", {"phone": OTHER, "code": right})
    assert again.headers["ETag"] == changed.headers["ETag"], "the same number again is no change"
    assert (await me(members, await enter(members, OTHER)))["id"] == before["id"]
    stranger = await me(members, await enter(members, PHONE))
    assert stranger["id"] != before["id"], "the old number is nobody's"


async def test_who_changes_their_number_stays_signed_in_here_alone_and_the_old_number_is_to_hear_of_it(
    members: Members,
) -> None:
    elsewhere, here = await enter(members), await enter(members)
    person = (await me(members, here))["id"]
    await own(members, here, "POST", "/v1/me/phone/codes", {"phone": OTHER})
    body = {"phone": OTHER, "code": await members.code_for(OTHER)}
    assert (await own(members, here, "PUT", "/v1/me/phone", body)).status_code == 200
    answers = [
        await members.post(None, REFRESH, {"refresh_token": tokens.json()["refresh_token"]})
        for tokens in (elsewhere, here)
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert await number_that_hears(members, person) == f"+86{PHONE}"


async def number_that_hears(members: Members, person: str) -> str | None:
    """The number that hears of the latest change."""
    last: Recorded = (await members.history("people", person))[-1]
    assert last.type.endswith("PhoneChanged")
    assert PHONE not in str(last.data)
    await members.container.vault.ensure_keys([person])
    sealed = last.data["phone"]
    return sealed and members.container.vault.open(sealed, person, "phone")


async def test_a_number_that_another_person_uses_is_not_taken_from_them(members: Members) -> None:
    theirs = await me(members, await enter(members, OTHER))
    tokens = await enter(members)
    members.clock.forward(seconds=61)
    await own(members, tokens, "POST", "/v1/me/phone/codes", {"phone": OTHER})
    body = {"phone": OTHER, "code": await members.code_for(OTHER)}
    assert outcome(await own(members, tokens, "PUT", "/v1/me/phone", body)) == (409, "phone-elsewhere")
    assert outcome(
        await members.put(HOTLINE, f"/v1/people/{(await me(members, tokens))['id']}/phone", {"phone": OTHER, **REASON})
    ) == (409, "phone-elsewhere")
    assert (await me(members, await enter(members, OTHER)))["id"] == theirs["id"]


async def test_a_number_of_whom_nobody_knows_more_is_free_although_a_code_was_asked_for(members: Members) -> None:
    await members.post(None, CODES, {"phone": OTHER})
    tokens = await enter(members)
    await own(members, tokens, "POST", "/v1/me/phone/codes", {"phone": OTHER})
    body = {"phone": OTHER, "code": await members.code_for(OTHER)}
    assert (await own(members, tokens, "PUT", "/v1/me/phone", body)).status_code == 200


@pytest.mark.parametrize("step", ["release", "accept_code"])
async def test_after_a_break_in_a_change_the_repeat_does_the_rest(
    members: Members, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable(retry_after=1)

    tokens = await enter(members)
    await own(members, tokens, "POST", "/v1/me/phone/codes", {"phone": OTHER})
    body = {"phone": OTHER, "code": await members.code_for(OTHER)}
    with monkeypatch.context() as broken:
        broken.setattr(changing, step, away)
        assert (await own(members, tokens, "PUT", "/v1/me/phone", body)).status_code == 503
    assert (await own(members, tokens, "PUT", "/v1/me/phone", body)).status_code == 200
    ids = [(await me(members, await enter(members, phone)))["id"] for phone in (PHONE, OTHER)]
    assert ids[0] != ids[1] == (await me(members, tokens))["id"]


async def test_an_operator_corrects_a_number_with_a_reason_and_the_sessions_end(members: Members) -> None:
    tokens = await enter(members)
    person = (await me(members, tokens))["id"]
    path = f"/v1/people/{person}/phone"
    assert outcome(await members.put(HOTLINE, path, {"phone": OTHER})) == (422, "invalid")
    assert outcome(await members.put(OPERATOR, path, {"phone": OTHER, **REASON})) == (404, "not-found")
    corrected = await members.put(HOTLINE, path, {"phone": OTHER, **REASON})
    assert (corrected.status_code, corrected.json()["phone"]) == (200, "138****0002")
    refused = await members.post(None, REFRESH, {"refresh_token": tokens.json()["refresh_token"]})
    assert outcome(refused) == (401, "session-over")
    assert await number_that_hears(members, person) == f"+86{PHONE}"
    last: Recorded = (await members.history("people", person))[-2]
    assert members.container.vault.open(last.data["reason"], person, "reason") == REASON["reason"]
    assert last.by == HOTLINE.id
    assert (await me(members, await enter(members, OTHER)))["id"] == person


async def test_an_operator_takes_a_number_from_who_no_longer_has_it(members: Members) -> None:
    person = (await registered(members, PHONE, name="张三")).json()["id"]
    gone = await members.put(OPERATOR, f"/v1/people/{person}/phone", {"phone": None, **REASON})
    assert (gone.status_code, gone.json()["phone"]) == (200, None)
    assert await number_that_hears(members, person) == f"+86{PHONE}"
    assert (await me(members, await enter(members)))["id"] != person
    assert (await members.post(OPERATOR, "/v1/people/find", {"phone": PHONE})).json()["items"] == []
