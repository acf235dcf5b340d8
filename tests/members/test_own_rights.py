"""Nobody gives rights to themselves, and a staff account is linked to a resident by who can sign in as both."""

from dataclasses import replace
from typing import Any

import httpx
import jwt
import pyotp
import pytest

from services.members.accounts.model import Account
from tests.members.support import ADMINISTRATOR, COMMUNITY, COUNTY, COUNTY_ADMINISTRATOR, Clock, Members
from tests.members.test_accounts import STATION, opened, outcome, proof, sign_in
from tests.support.world import keyed

GIVEN = {"roles": ["operator"], "places": [COMMUNITY]}
LINK = "/v1/me/staff-account"


async def test_an_administrator_gives_nothing_to_the_own_account(members: Members) -> None:
    account = await opened(members, login="boss-1", roles=["administrator"], places=[COUNTY])
    own = replace(COUNTY_ADMINISTRATOR, id=account["id"], person=account["person"])
    refused = await members.put(own, f"/v1/accounts/{account['id']}/roles", GIVEN)
    assert outcome(refused) == (403, "own-account")
    assert (await members.get(ADMINISTRATOR, f"/v1/accounts/{account['id']}")).json()["roles"] == ["administrator"]


async def test_an_administrator_gives_nothing_to_another_account_of_their_own(members: Members) -> None:
    second = await opened(members)
    own = replace(ADMINISTRATOR, person=second["person"])
    assert outcome(await members.put(own, f"/v1/accounts/{second['id']}/roles", GIVEN)) == (403, "own-account")


@pytest.mark.parametrize("roles", [["resident"], ["handler", "resident"]])
async def test_no_staff_account_is_a_residents(members: Members, roles: list[str]) -> None:
    refused = await members.post(ADMINISTRATOR, "/v1/accounts", {**STATION, "roles": roles})
    assert outcome(refused) == (422, "invalid")
    account = await opened(members)
    granted = {"roles": roles, "places": [COMMUNITY]}
    assert outcome(await members.put(ADMINISTRATOR, f"/v1/accounts/{account['id']}/roles", granted)) == (422, "invalid")


async def test_no_account_is_opened_for_somebody_who_is_known(members: Members) -> None:
    me = claims(await members.signed_in())["person"]
    refused = await members.post(ADMINISTRATOR, "/v1/accounts", {**STATION, "person": me})
    assert outcome(refused) == (422, "invalid"), "its secrets would open what is theirs"


async def test_who_signs_in_as_both_is_one_person_from_then_on(members: Members, clock: Clock) -> None:
    account, resident = await opened(members), await members.signed_in()
    before = (await sign_in(members, proof(account))).json()
    clock.forward(seconds=30)
    linked = await link(members, resident, later(members, account))
    assert (linked.status_code, linked.json()["person"]) == (200, claims(resident)["person"]), linked.text
    refreshed = await members.post(None, "/v1/sign-in/refresh", {"refresh_token": before["refresh_token"]})
    assert claims(refreshed.json())["person"] == claims(resident)["person"]
    assert claims(refreshed.json())["roles"] == ["handler"]
    assert (await stored(members, account["id"])).tokens_below == 1, "tokens of before are refused"


async def test_the_second_factor_stays_the_same_and_linking_again_changes_nothing(
    members: Members, clock: Clock
) -> None:
    account, resident = await opened(members), await members.signed_in()
    for _ in range(2):
        assert (await link(members, resident, later(members, account))).status_code == 200
        clock.forward(seconds=30)
    assert (await stored(members, account["id"])).tokens_below == 1
    tokens = await sign_in(members, later(members, account))
    assert claims(tokens.json())["person"] == claims(resident)["person"]


@pytest.mark.parametrize("wrong", ["login", "password", "otp"])
async def test_without_the_right_credentials_nothing_is_linked(members: Members, wrong: str) -> None:
    account, resident = await opened(members), await members.signed_in()
    false = {"login": "nobody-here", "password": "wrong", "otp": "000000"}
    body = {**later(members, account), wrong: false[wrong]}
    assert outcome(await link(members, resident, body)) == (401, "sign-in-wrong")
    assert (await stored(members, account["id"])).person_id == account["person"]


async def test_staff_link_nothing_without_their_phone(members: Members, clock: Clock) -> None:
    first, second = await opened(members), await opened(members, login="station-2")
    tokens = (await sign_in(members, later(members, first))).json()
    assert outcome(await link(members, tokens, later(members, second))) == (403, "forbidden")


def later(members: Members, account: dict[str, Any]) -> dict[str, str]:
    """Credentials by the clock of the service."""
    return proof(account, otp=pyotp.TOTP(account["totp_secret"]).at(members.clock.now()))


async def link(members: Members, tokens: dict[str, Any], body: dict[str, str]) -> httpx.Response:
    """Link an account, signed in with these tokens."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}", **keyed()}
    async with members.client() as client:
        return await client.post(LINK, json=body, headers=headers)


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    """What an access token says."""
    said: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return said


async def stored(members: Members, id: str) -> Account:
    """The account as it is kept."""
    return await members.container.context(ADMINISTRATOR, "test").store.as_system().get(Account, id)
