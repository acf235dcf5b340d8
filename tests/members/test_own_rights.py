"""Nobody gives rights to themselves, and no staff account is a resident's."""

from dataclasses import replace
from typing import Any

import jwt
import pytest

from tests.members.support import ADMINISTRATOR, COMMUNITY, COUNTY, COUNTY_ADMINISTRATOR, Members
from tests.members.test_accounts import STATION, opened, outcome

GIVEN = {"roles": ["operator"], "places": [COMMUNITY]}


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


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    """What an access token says."""
    said: dict[str, Any] = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    return said
