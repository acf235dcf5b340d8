"""Rights that were taken away: an old token does not act on them, and where that could not be undone, not for a second.

The tests of a process that hears of it within seconds are in ``tests/chassis/test_revocations.py`` and ``journeys``.
"""

import asyncio
from typing import Any

import httpx
import pytest

from tests.members.support import (
    ADMINISTRATOR,
    COMMUNITY,
    COUNTY,
    FAR_COUNTY,
    OPERATOR,
    Members,
)
from tests.members.test_accounts import opened, proof, sign_in
from tests.support.world import keyed

SOON = 5.0
NEW = {"login": "second-1", "roles": ["handler"], "places": [COMMUNITY]}


async def asked(
    members: Members, token: str, method: str, path: str, body: object = None, **params: str
) -> httpx.Response:
    async with members.client() as client:
        headers = {"Authorization": f"Bearer {token}", **keyed()}
        return await client.request(method, path, headers=headers, json=body, params=params)


async def employed(members: Members, role: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An account of the county with this role, and its tokens."""
    account = await opened(members, login=f"{role}-1", roles=["handler"], places=[COUNTY])
    await grant(members, account, role, COUNTY)
    return account, (await sign_in(members, proof(account))).json()


async def grant(members: Members, account: dict[str, Any], role: str, place: str) -> None:
    granted = await members.put(
        ADMINISTRATOR, f"/v1/accounts/{account['id']}/roles", {"roles": [role], "places": [place]}
    )
    assert granted.status_code == 200, granted.text


async def close(members: Members, account: dict[str, Any]) -> None:
    closed = await members.post(ADMINISTRATOR, f"/v1/accounts/{account['id']}/close")
    assert closed.status_code == 200, closed.text


async def demote(members: Members, account: dict[str, Any]) -> None:
    await grant(members, account, "operator", FAR_COUNTY)


@pytest.mark.parametrize("end", [close, demote])
async def test_who_administrates_no_more_makes_no_account_in_the_same_second(members: Members, end: Any) -> None:
    account, tokens = await employed(members, "administrator")
    token = tokens["access_token"]
    seen = await asked(members, token, "GET", f"/v1/accounts/{account['id']}")
    assert seen.status_code == 200, "the process has read what is revoked, and will for some seconds not read it again"
    await end(members, account)
    for method, path, body in (
        ("POST", "/v1/accounts", NEW),
        ("PUT", f"/v1/accounts/{account['id']}/roles", {"roles": ["operator"], "places": [COUNTY]}),
        ("POST", f"/v1/accounts/{account['id']}/close", None),
    ):
        refused = await asked(members, token, method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (401, "token-invalid"), path
    assert await members.count("accounts") == 1


async def test_who_has_signed_out_sees_nobody_in_clear_in_the_same_second(members: Members) -> None:
    _, tokens = await employed(members, "dispatcher")
    token = tokens["access_token"]
    person = (await members.post(OPERATOR, "/v1/people", {"phone": "13800000009", "area": COMMUNITY})).json()["id"]
    path, why = f"/v1/people/{person}/unmask", {"reason": "核对电话"}
    assert (await asked(members, token, "POST", path, why)).status_code == 200
    assert (await asked(members, token, "DELETE", "/v1/sign-in")).status_code == 204
    assert (await asked(members, token, "POST", path, why)).status_code == 401


async def test_within_seconds_a_demoted_supervisor_lists_nothing_with_the_old_token_and_the_next_has_the_new_rights(
    members: Members,
) -> None:
    account, tokens = await employed(members, "supervisor")
    following = asyncio.create_task(members.container.revocations.follow())
    assert (await asked(members, tokens["access_token"], "GET", "/v1/rosters", under=COUNTY)).status_code == 200
    await demote(members, account)
    async with asyncio.timeout(SOON):
        while (await asked(members, tokens["access_token"], "GET", "/v1/rosters", under=COUNTY)).status_code != 401:  # noqa: ASYNC110 - nobody calls
            await asyncio.sleep(0.1)
    answer = await members.post(None, "/v1/sign-in/refresh", {"refresh_token": tokens["refresh_token"]})
    token = answer.json()["access_token"]
    assert (await asked(members, token, "GET", "/v1/rosters", under=FAR_COUNTY)).status_code == 200
    assert (await asked(members, token, "GET", "/v1/accounts")).status_code == 403
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
