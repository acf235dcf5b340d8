"""Signing in by phone, staying, signing out: over HTTP on a real database."""

import asyncio
from typing import Any, NoReturn

import httpx
import jwt
import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.mongo import Mongo
from services.members.accounts.sessions import commands
from tests.members.support import OPERATOR, PHONE, Clock, Members, other_than
from tests.support.world import keyed

CODES, TOKENS, REFRESH = "/v1/sign-in/codes", "/v1/sign-in/tokens", "/v1/sign-in/refresh"


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def refreshed(members: Members, token: str) -> httpx.Response:
    return await members.post(None, REFRESH, {"refresh_token": token})


async def test_a_first_sign_in_makes_the_person_and_the_account_and_the_token_says_who(members: Members) -> None:
    sent = await members.post(None, CODES, {"phone": "138 0000 0001"})
    assert (sent.status_code, sent.json()) == (202, {"expires_in": 300, "again_in": 60})
    tokens = await members.post(None, TOKENS, {"phone": PHONE, "code": await members.code_for(PHONE)})
    assert tokens.status_code == 201
    assert (tokens.json()["token_type"], tokens.json()["expires_in"]) == ("Bearer", 900)
    me = await members.with_token("GET", "/v1/me", tokens.json()["access_token"])
    assert me.json()["phone"] == f"+86{PHONE}"
    assert me.json()["roles"] == ["resident"]
    assert (await members.count("people"), await members.count("accounts")) == (1, 1)


async def test_a_second_sign_in_meets_the_same_person(members: Members, clock: Clock) -> None:
    first = await members.signed_in()
    clock.forward(seconds=61)
    second = await members.signed_in()
    persons = [jwt.decode(t["access_token"], options={"verify_signature": False})["person"] for t in (first, second)]
    assert persons[0] == persons[1]
    assert await members.count("sessions") == 2


async def test_a_code_is_good_once(members: Members) -> None:
    await members.signed_in()
    body = {"phone": PHONE, "code": await members.code_for(PHONE)}
    assert outcome(await members.post(None, TOKENS, body)) == (401, "code-wrong")


async def test_what_is_not_shaped_as_it_should_be_is_reported_in_words(members: Members) -> None:
    short = await members.post(None, CODES, {"phone": "138"})
    assert outcome(short) == (422, "phone-invalid")
    assert "0470-8123456" in short.json()["detail"]
    wrong = await members.post(None, TOKENS, {"phone": PHONE, "code": "<the six digits>"})
    assert outcome(wrong) == (422, "invalid")
    assert wrong.json()["errors"] == [{"field": "code", "problem": "应为六位数字"}]


async def test_an_idempotency_key_works_once_for_each_route(members: Members) -> None:
    async with members.client() as client:

        async def twice(path: str, body: dict[str, str]) -> list[httpx.Response]:
            key = keyed()
            return [await client.post(path, json=body, headers=key) for _ in range(2)]

        codes = await twice(CODES, {"phone": PHONE})
        tokens = await twice(TOKENS, {"phone": PHONE, "code": await members.code_for(PHONE)})
        again = await twice(REFRESH, {"refresh_token": tokens[0].json()["refresh_token"]})
    assert [answer.status_code for answer in codes] == [202, 202]  # the same answer, and no second message
    assert len((await members.container.mongo.find("phonecodes", {}, limit=2))[0]["state"]["strangers"]["issued"]) == 1
    assert (tokens[0].status_code, outcome(tokens[1])) == (201, (401, "code-wrong"))
    assert [answer.status_code for answer in again] == [200, 200]  # not by the key: a repeated token is forgiven
    assert len({answer.json()["refresh_token"] for answer in again}) == 1


async def test_twins_that_sign_in_first_at_the_same_instant_make_one_person(members: Members) -> None:
    await members.post(None, CODES, {"phone": PHONE})
    body = {"phone": PHONE, "code": await members.code_for(PHONE)}
    answers = await asyncio.gather(*(members.post(None, TOKENS, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 5]
    assert [await members.count(kind) for kind in ("people", "accounts", "sessions")] == [1, 1, 1]


async def test_a_code_is_sent_once_a_minute_and_the_refusal_says_when_again(members: Members) -> None:
    twins = await asyncio.gather(*(members.post(None, CODES, {"phone": PHONE}) for _ in range(4)))
    assert sorted(answer.status_code for answer in twins) == [202, 429, 429, 429]
    refused = next(answer for answer in twins if answer.status_code == 429)
    assert refused.json()["code"] == "too-many-codes"
    assert 55 <= int(refused.headers["Retry-After"]) <= 61
    assert (await members.post(None, CODES, {"phone": "13800000002"})).status_code == 202


async def test_five_wrong_codes_lock_the_phone_and_each_leaves_a_trace(members: Members) -> None:
    await members.post(None, CODES, {"phone": PHONE})
    right = await members.code_for(PHONE)
    for _ in range(5):
        wrong = await members.post(None, TOKENS, {"phone": PHONE, "code": other_than(right)})
        assert outcome(wrong) == (401, "code-wrong")
    locked = await members.post(None, TOKENS, {"phone": PHONE, "code": right})
    assert outcome(locked) == (429, "too-many-wrong-codes")
    assert 890 <= int(locked.headers["Retry-After"]) <= 900
    document = (await members.container.mongo.find("phonecodes", {}, limit=2))[0]
    assert [e["type"].rpartition(".")[2] for e in document["history"]][1:] == ["WrongCodeGiven"] * 5
    assert await members.count("people") == 0


async def test_nothing_tells_whether_a_phone_is_known(members: Members) -> None:
    await members.signed_in()
    guess = {"code": "000000"}
    known = await members.post(None, TOKENS, {"phone": PHONE, **guess})
    unknown = await members.post(None, TOKENS, {"phone": "13800000009", **guess})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


async def test_an_unknown_phone_is_looked_up_as_often_as_a_known_one(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    await members.signed_in()
    find_one, looks = Mongo.find_one, list[str]()

    async def counted(self: Mongo, name: str, *given: Any, **more: Any) -> Any:
        looks.append(name)
        return await find_one(self, name, *given, **more)

    monkeypatch.setattr(Mongo, "find_one", counted)
    for phone in (PHONE, "13800000009"):
        assert outcome(await members.post(None, TOKENS, {"phone": phone, "code": "000000"})) == (401, "code-wrong")
    assert looks == ["phones", "phonecodes"] * 2


async def test_if_match_tells_nothing_of_a_phone(members: Members) -> None:
    await members.signed_in()
    async with members.client() as client:
        for phone in (PHONE, "13800000009"):
            body = {"phone": phone, "code": "000000"}
            answer = await client.post(TOKENS, json=body, headers={"If-Match": '"77"'})
            assert outcome(answer) == (401, "code-wrong")


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("12345678", "phone-invalid"),
        ("abcdefgh", "phone-invalid"),
        ("057112345678", "phone-takes-no-texts"),
        ("0470-8123456转801", "phone-takes-no-texts"),
        ("+4915112345678", "phone-takes-no-texts"),
        ("+85221234567", "phone-takes-no-texts"),
    ],
)
async def test_no_code_is_sent_to_what_takes_no_text_messages(members: Members, phone: str, code: str) -> None:
    for path, more in ((CODES, {}), (TOKENS, {"code": "123456"})):
        refused = await members.post(None, path, {"phone": phone, **more})
        assert outcome(refused) == (422, code)
        assert phone not in refused.text
    assert await members.count("phones") == 0


@pytest.mark.parametrize("body", [{"phone": PHONE, "role": "administrator"}, {"phone": {"$ne": ""}}, {}])
async def test_bodies_with_other_fields_or_operators_are_refused(members: Members, body: object) -> None:
    assert outcome(await members.post(None, CODES, body)) == (422, "invalid")
    assert await members.count("phonecodes") == 0


async def test_a_refresh_token_is_exchanged_and_a_spent_one_ends_the_session(members: Members) -> None:
    first = (await members.signed_in())["refresh_token"]
    answer = await refreshed(members, first)
    second = answer.json()["refresh_token"]
    assert (answer.status_code, second != first) == (200, True)
    me = await members.with_token("GET", "/v1/me", answer.json()["access_token"])
    assert me.status_code == 200
    third = (await refreshed(members, second)).json()["refresh_token"]
    assert outcome(await refreshed(members, first)) == (401, "session-over")
    assert outcome(await refreshed(members, third)) == (401, "session-over")


async def test_who_lost_the_answer_sends_the_same_again_and_stays_signed_in(members: Members, clock: Clock) -> None:
    clock.forward(seconds=-29)
    first = (await members.signed_in())["refresh_token"]
    lost = await refreshed(members, first)
    clock.back()
    again = await refreshed(members, first)
    assert again.json()["refresh_token"] == lost.json()["refresh_token"]
    assert (await members.with_token("GET", "/v1/me", again.json()["access_token"])).status_code == 200
    assert (await refreshed(members, again.json()["refresh_token"])).status_code == 200


async def test_two_tabs_that_refresh_at_the_same_instant_get_the_same_and_both_go_on(members: Members) -> None:
    token = (await members.signed_in())["refresh_token"]
    answers = await asyncio.gather(*(refreshed(members, token) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    (latest,) = {answer.json()["refresh_token"] for answer in answers}
    assert (await refreshed(members, latest)).status_code == 200


async def test_a_thief_who_comes_before_the_owner_is_thrown_out_when_the_owner_comes(
    members: Members, clock: Clock
) -> None:
    copied = (await members.signed_in())["refresh_token"]
    stolen = await refreshed(members, copied)
    clock.forward(seconds=31)
    assert outcome(await refreshed(members, copied)) == (401, "session-over")
    assert outcome(await refreshed(members, stolen.json()["refresh_token"])) == (401, "session-over")


async def test_a_thief_who_comes_after_the_owner_throws_both_out(members: Members, clock: Clock) -> None:
    copied = (await members.signed_in())["refresh_token"]
    owners = await refreshed(members, copied)
    clock.forward(seconds=3_600)
    assert outcome(await refreshed(members, copied)) == (401, "session-over")
    assert outcome(await refreshed(members, owners.json()["refresh_token"])) == (401, "session-over")


async def test_a_thief_in_the_same_half_minute_has_the_owners_token_and_the_next_use_of_it_shows_that(
    members: Members, clock: Clock
) -> None:
    copied = (await members.signed_in())["refresh_token"]
    shared = (await refreshed(members, copied)).json()["refresh_token"]
    assert (await refreshed(members, copied)).json()["refresh_token"] == shared
    assert (await refreshed(members, shared)).status_code == 200  # one of the two goes on…
    clock.forward(seconds=31)
    assert outcome(await refreshed(members, shared)) == (401, "session-over")  # …and the other is noticed


@pytest.mark.parametrize(
    "token", ["nonsense", "session_000000000000000000000000.0.abc", '{"$gt": ""}', "session_1.0.é", "a.b.c.d"]
)
async def test_a_refresh_token_that_is_none_is_refused(members: Members, token: str) -> None:
    assert outcome(await refreshed(members, token)) == (401, "session-over")


async def test_a_made_up_token_of_somebodys_session_does_it_no_harm(members: Members) -> None:
    token = (await members.signed_in())["refresh_token"]
    session, generation, secret = token.split(".")
    for made_up in (f"{session}.{generation}.{secret[:-1]}x", f"{session}.1.{secret}", f"{session}.0.{'0' * 40}"):
        assert outcome(await refreshed(members, made_up)) == (401, "session-over")
    assert (await refreshed(members, token)).status_code == 200


async def test_signing_out_ends_this_session_only(members: Members, clock: Clock) -> None:
    gone = await members.signed_in()
    clock.forward(seconds=61)
    kept = await members.signed_in()
    assert (await members.with_token("DELETE", "/v1/sign-in", gone["access_token"])).status_code == 204
    async with asyncio.timeout(5):
        while (await members.with_token("GET", "/v1/me", gone["access_token"])).status_code != 401:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    # Who still sends that token may sign in all the same, and refresh another session.
    assert (await members.with_token("POST", TOKENS, gone["access_token"])).json()["code"] == "invalid"
    assert outcome(await refreshed(members, gone["refresh_token"])) == (401, "session-over")
    assert (await refreshed(members, kept["refresh_token"])).status_code == 200


async def test_a_person_an_operator_registered_keeps_the_id_at_the_first_sign_in(members: Members) -> None:
    from_counter = (await members.post(OPERATOR, "/v1/people", {"phone": PHONE, "name": "张三丰"})).json()["id"]
    tokens = await members.signed_in()
    me = (await members.with_token("GET", "/v1/me", tokens["access_token"])).json()
    assert (me["id"], me["name"]) == (from_counter, "张三丰")


async def test_neither_phone_nor_code_nor_token_is_unencrypted_in_the_database(members: Members) -> None:
    tokens = await members.signed_in()
    code = await members.code_for(PHONE)
    raw = ""
    for name in ("phonecodes", "people", "accounts", "sessions", "claims", "keys"):
        raw += str(await members.container.mongo.find(name, {}, limit=100))
    for canary in (PHONE, f"'{code}'", tokens["refresh_token"].rpartition(".")[2]):
        assert canary not in raw


@pytest.mark.parametrize("step", ["register_by_phone", "open_residents_account", "accept_code"])
async def test_after_a_break_between_two_steps_the_same_code_is_good_again(
    members: Members, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await members.post(None, CODES, {"phone": PHONE})
    body = {"phone": PHONE, "code": await members.code_for(PHONE)}
    with monkeypatch.context() as broken:
        broken.setattr(commands, step, away)
        assert outcome(await members.post(None, TOKENS, body)) == (503, "unavailable")
    assert (await members.post(None, TOKENS, body)).status_code == 201
    assert [await members.count(kind) for kind in ("people", "accounts", "sessions")] == [1, 1, 1]


async def away(*_: object) -> NoReturn:
    raise Unavailable(retry_after=1)
