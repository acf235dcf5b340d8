"""Staff accounts: opening, signing in with two factors, roles, closing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import httpx
import jwt
import pyotp
import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.http.signing import key_set
from services.members.accounts import commands
from services.members.accounts.settings import TokenSettings
from tests.members.support import (
    ADMINISTRATOR,
    COMMUNITY,
    COUNTY,
    COUNTY_ADMINISTRATOR,
    DISPATCHER,
    FAR_COMMUNITY,
    Clock,
    Members,
    other_than,
)
from tests.support.world import keyed

STATION = {"login": "station-1", "name": "李站长", "roles": ["handler"], "places": [COMMUNITY]}


def outcome(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def opened(members: Members, **more: Any) -> dict[str, Any]:
    answer = await members.post(ADMINISTRATOR, "/v1/accounts", {**STATION, **more})
    assert answer.status_code == 201, answer.text
    account: dict[str, Any] = answer.json()
    return account


async def founded(members: Members, area: str) -> str:
    body = {"kind": "station", "name": {"zh": "社区服务站"}, "area": area}
    answer = await members.post(ADMINISTRATOR, "/v1/organisations", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def founded_team(members: Members, area: str) -> str:
    body = {"kind": "women", "name": {"zh": "巾帼队"}, "area": area, "skills": ["visiting"], "capacity": 2}
    answer = await members.post(ADMINISTRATOR, "/v1/teams", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def proof(account: dict[str, Any], **other: str) -> dict[str, str]:
    otp = pyotp.TOTP(account["totp_secret"]).now()
    return {"login": account["login"], "password": account["password"], "otp": otp, **other}


async def sign_in(members: Members, body: dict[str, str]) -> httpx.Response:
    return await members.post(None, "/v1/sign-in/staff", body)


async def test_an_account_is_opened_and_its_owner_signs_in_with_both_factors(members: Members) -> None:
    station = await founded(members, COMMUNITY)
    account = await opened(members, organisations=[station])
    answer = await sign_in(members, proof(account))
    assert answer.status_code == 201
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["roles"], claims["places"]) == (account["id"], ["handler"], [COMMUNITY])
    assert claims["organisations"] == [station]
    me = (await members.with_token("GET", "/v1/me", answer.json()["access_token"])).json()
    assert (me["id"], me["name"], me["roles"]) == (account["person"], "李站长", ["handler"])


async def test_a_repeat_with_the_same_key_shows_the_same_secrets_and_no_other_request_does(members: Members) -> None:
    key = keyed()
    async with members.client(ADMINISTRATOR) as client:
        first, again = [await client.post("/v1/accounts", json=STATION, headers=key) for _ in range(2)]
        reused = await client.post("/v1/accounts", json={**STATION, "login": "station-2"}, headers=key)
        looked = await client.get(f"/v1/accounts/{first.json()['id']}")
    assert (again.status_code, again.json(), again.headers["ETag"]) == (201, first.json(), first.headers["ETag"])
    assert outcome(reused) == (422, "key-reused")
    assert outcome(await members.post(ADMINISTRATOR, "/v1/accounts", STATION)) == (409, "login-taken")
    assert not {"password", "totp_secret", "totp_uri"} & set(looked.json())
    assert (await members.count("accounts"), await members.count("people")) == (1, 1)


async def test_twins_that_open_the_same_login_at_once_make_one_account(members: Members) -> None:
    answers = await asyncio.gather(*(members.post(ADMINISTRATOR, "/v1/accounts", STATION) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert (await members.count("accounts"), await members.count("people")) == (1, 1)


@pytest.mark.parametrize("wrong", ["login", "password", "otp"])
async def test_the_refusal_is_the_same_whatever_was_wrong(members: Members, wrong: str) -> None:
    right = proof(await opened(members))
    false = {"login": "nobody-here", "password": "wrong", "otp": other_than(right["otp"])}
    refused = await sign_in(members, {**right, wrong: false[wrong]})
    assert outcome(refused) == (401, "sign-in-wrong")
    assert "params" not in refused.json()
    assert "Retry-After" not in refused.headers


async def test_a_one_time_code_that_was_used_is_refused(members: Members) -> None:
    body = proof(await opened(members))
    assert (await sign_in(members, body)).status_code == 201
    assert outcome(await sign_in(members, body)) == (401, "sign-in-wrong")


async def test_a_key_that_signed_in_once_does_not_sign_in_again(members: Members) -> None:
    body, key = proof(await opened(members)), keyed()
    async with members.client() as client:
        answers = [await client.post("/v1/sign-in/staff", json=body, headers=key) for _ in range(2)]
    assert answers[0].status_code == 201
    assert outcome(answers[1]) == (401, "sign-in-wrong")


async def test_a_key_that_refreshed_once_gives_nothing_after_the_account_was_closed(members: Members) -> None:
    account, key = await opened(members), keyed()
    body = {"refresh_token": (await sign_in(members, proof(account))).json()["refresh_token"]}
    async with members.client() as client:
        assert (await client.post("/v1/sign-in/refresh", json=body, headers=key)).status_code == 200
        await members.post(ADMINISTRATOR, f"/v1/accounts/{account['id']}/close")
        assert outcome(await client.post("/v1/sign-in/refresh", json=body, headers=key)) == (401, "session-over")


async def test_of_twins_with_one_one_time_code_one_is_let_in(members: Members) -> None:
    body = proof(await opened(members))
    answers = await asyncio.gather(*(sign_in(members, body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401]


@pytest.mark.parametrize("login", ["station-1", "nobody-here"])
async def test_five_failures_lock_a_login_whether_it_exists_or_not(members: Members, clock: Clock, login: str) -> None:
    right = proof(await opened(members), login=login)
    for _ in range(5):
        assert outcome(await sign_in(members, {**right, "password": "wrong"})) == (401, "sign-in-wrong")
    locked = await sign_in(members, right)
    assert outcome(locked) == (429, "too-many-attempts")
    assert 55 <= int(locked.headers["Retry-After"]) <= 60
    clock.forward(seconds=61)
    await sign_in(members, {**right, "password": "wrong"})
    assert int((await sign_in(members, right)).headers["Retry-After"]) > 60


async def test_a_closed_account_neither_signs_in_nor_refreshes(members: Members) -> None:
    account = await opened(members)
    tokens = (await sign_in(members, proof(account))).json()
    assert (await members.post(ADMINISTRATOR, f"/v1/accounts/{account['id']}/close")).json()["open"] is False
    refused = await members.post(None, "/v1/sign-in/refresh", {"refresh_token": tokens["refresh_token"]})
    assert outcome(refused) == (401, "session-over")
    later = pyotp.TOTP(account["totp_secret"]).at(int(time.time()) + 30)
    assert outcome(await sign_in(members, proof(account, otp=later))) == (401, "sign-in-wrong")
    assert outcome(await members.post(ADMINISTRATOR, f"/v1/accounts/{account['id']}/close")) == (
        409,
        "account-is-closed",
    )


async def test_new_roles_come_with_the_next_token(members: Members) -> None:
    account = await opened(members)
    tokens = (await sign_in(members, proof(account))).json()
    granted = {"roles": ["dispatcher", "operator"], "places": [COUNTY]}
    assert (await members.put(ADMINISTRATOR, f"/v1/accounts/{account['id']}/roles", granted)).status_code == 200
    answer = await members.post(None, "/v1/sign-in/refresh", {"refresh_token": tokens["refresh_token"]})
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (claims["roles"], claims["places"]) == (["dispatcher", "operator"], [COUNTY])


async def test_an_administrator_gives_and_sees_only_what_lies_in_the_own_places(members: Members) -> None:
    beyond = {**STATION, "places": [COMMUNITY, FAR_COMMUNITY]}
    assert outcome(await members.post(COUNTY_ADMINISTRATOR, "/v1/accounts", beyond)) == (403, "outside-your-places")
    far = await opened(members, places=[FAR_COMMUNITY])
    both = await opened(members, login="two-places", places=[COMMUNITY, FAR_COMMUNITY])
    near = await opened(members, login="near", places=[COMMUNITY])
    listed = await members.get(COUNTY_ADMINISTRATOR, "/v1/accounts", role="handler")
    assert [account["id"] for account in listed.json()["items"]] == [near["id"]]
    for account in (far, both):
        closing = await members.post(COUNTY_ADMINISTRATOR, f"/v1/accounts/{account['id']}/close")
        assert outcome(closing) == (404, "not-found")


@pytest.mark.parametrize("found", [founded, founded_team])
async def test_an_administrator_gives_only_organisations_and_teams_in_the_own_places(
    members: Members, found: Callable[[Members, str], Awaitable[str]]
) -> None:
    near, far = await found(members, COMMUNITY), await found(members, FAR_COMMUNITY)
    both = {**STATION, "organisations": [near, far]}
    assert outcome(await members.post(COUNTY_ADMINISTRATOR, "/v1/accounts", both)) == (403, "outside-your-places")
    assert (await members.count("accounts"), await members.count("people")) == (0, 0)
    account = (await members.post(COUNTY_ADMINISTRATOR, "/v1/accounts", {**STATION, "organisations": [near]})).json()
    assert account["organisations"] == [near]
    granted, roles = {"roles": ["handler"], "places": [COMMUNITY]}, f"/v1/accounts/{account['id']}/roles"
    refused = await members.put(COUNTY_ADMINISTRATOR, roles, {**granted, "organisations": [near, far]})
    assert outcome(refused) == (403, "outside-your-places")
    assert (await members.put(ADMINISTRATOR, roles, {**granted, "organisations": [near, far]})).status_code == 200


@pytest.mark.parametrize("unknown", ["organisation_abc", "team_abc"])
async def test_an_organisation_that_is_not_there_is_given_to_nobody(members: Members, unknown: str) -> None:
    body = {**STATION, "organisations": [await founded(members, COMMUNITY), unknown]}
    refused = await members.post(ADMINISTRATOR, "/v1/accounts", body)
    assert (outcome(refused), refused.json()["params"]) == ((422, "organisation-unknown"), {"organisation": unknown})


async def test_only_administrators_open_accounts(members: Members) -> None:
    assert outcome(await members.post(DISPATCHER, "/v1/accounts", STATION)) == (403, "forbidden")
    assert outcome(await members.post(None, "/v1/accounts", STATION)) == (401, "sign-in-needed")


@pytest.mark.parametrize(
    "change", [{"roles": []}, {"roles": ["king"]}, {"places": []}, {"places": ["150799"]}, {"login": {"$ne": 1}}]
)
async def test_an_account_that_makes_no_sense_is_refused(members: Members, change: dict[str, object]) -> None:
    assert (await members.post(ADMINISTRATOR, "/v1/accounts", {**STATION, **change})).status_code == 422
    assert (await members.count("accounts"), await members.count("people")) == (0, 0)


async def test_no_secret_of_an_account_is_unencrypted_in_the_database(members: Members) -> None:
    account = await opened(members)
    raw = str([await members.container.mongo.find(name, {}, limit=50) for name in ("accounts", "people", "claims")])
    for canary in (account["password"], account["totp_secret"], "李站长"):
        assert canary not in raw


async def test_credentials_and_sign_ins_are_never_published(members: Members) -> None:
    account = await opened(members)
    published = [entry for entry in await members.history("accounts", account["id"]) if entry.published]
    assert [entry.type for entry in published] == ["linli.members.AccountOpened"]


async def test_the_published_keys_are_those_that_sign(members: Members) -> None:
    answer = await members.get(None, "/.well-known/jwks.json")
    folder = members.world.settings().of(TokenSettings).token_keys
    assert folder is not None
    assert answer.json() == key_set(folder)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    token = (await members.signed_in())["access_token"]
    key = jwt.PyJWK(answer.json()["keys"][0])
    assert jwt.decode(token, key, algorithms=["EdDSA"], audience="linli", issuer="linli")["roles"] == ["resident"]


async def test_after_a_break_between_person_and_account_the_repeat_makes_both_one(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> NoReturn:
        raise Unavailable(retry_after=1)

    key = keyed()
    async with members.client(ADMINISTRATOR) as client:
        with monkeypatch.context() as broken:
            broken.setattr(commands, "_open", away)
            assert outcome(await client.post("/v1/accounts", json=STATION, headers=key)) == (503, "unavailable")
        assert await members.count("people") == 1
        repeated = await client.post("/v1/accounts", json=STATION, headers=key)
    assert (repeated.status_code, (await sign_in(members, proof(repeated.json()))).status_code) == (201, 201)
    assert (await members.count("accounts"), await members.count("people")) == (1, 1)
