"""A fault of sign-out: sessions and accounts end while the parts are killed that have to hear of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pyotp

from deploy.cli.city.client import Gateway
from tests.bench.badges import Badges
from tests.bench.town import CITY
from tests.faults.trial import Fault, Trial

_EACH = 8
_SOON = 30.0
_HEAR = ("members-worker", "requests-worker", "notify-worker", "kafka", "requests-web", "notify-web")
_ASKED = ("/v1/me", "/v1/requests", "/v1/inbox")
"""One address of each service."""


@dataclass(frozen=True)
class Signed:
    """Somebody of the staff who has signed in."""

    account: str
    token: str


async def revoked(trial: Trial) -> str:
    """Some sign out, the accounts of others are closed, and some stay, while what carries the news dies."""
    administrator = Badges(trial.stack).staff("administrator", CITY)
    async with Gateway(trial.stack.gateway) as gateway:
        named = f"{trial.chance.getrandbits(40):x}"
        signed = [await _signed_in(gateway, administrator, f"{named}-{n}") for n in range(3 * _EACH)]
        leaving, closed, staying = signed[:_EACH], signed[_EACH : 2 * _EACH], signed[2 * _EACH :]
        parts = trial.chance.sample(_HEAR, 3)

        async def end() -> None:
            for one, other in zip(leaving, closed, strict=True):
                answer = await gateway.ask("DELETE", "/v1/sign-in", token=one.token)
                if answer.status != 401:  # the answer may have been lost, and the token be refused by now
                    answer.expect("signing out")
                path, key = f"/v1/accounts/{other.account}/close", f"close:{other.account}"
                (await gateway.ask("POST", path, token=administrator, key=key)).expect("closing an account")
                await asyncio.sleep(trial.seconds(0.1, 0.6))

        async with asyncio.TaskGroup() as group:
            group.create_task(end())
            for part in parts:
                group.create_task(trial.kill(part))

        async def refused() -> bool:
            return await _taken(gateway, [*leaving, *closed]) == 0

        await trial.until(refused, _SOON, "every service to refuse the tokens of sessions that have ended")
        if (taken := await _taken(gateway, staying)) != len(_ASKED) * len(staying):
            raise RuntimeError(f"of those who stay signed in only {taken} requests were taken")
    return f"{len(leaving)} signed out, {len(closed)} closed; kill -9: {', '.join(sorted(parts))}"


async def _signed_in(gateway: Gateway, administrator: str, login: str) -> Signed:
    body = {"login": login, "roles": ["operator"], "places": [CITY]}
    answer = await gateway.ask("POST", "/v1/accounts", token=administrator, key=f"open:{login}", body=body)
    account = answer.expect("opening an account")
    proof = {
        "login": login,
        "password": account["password"],
        "otp": pyotp.TOTP(account["totp_secret"]).now(),
    }
    tokens = (await gateway.ask("POST", "/v1/sign-in/staff", body=proof)).expect("signing in")
    return Signed(account["id"], tokens["access_token"])


async def _taken(gateway: Gateway, those: Sequence[Signed]) -> int:
    """How many requests with these tokens are taken, one for each and service; RuntimeError for any other answer."""
    asking = [gateway.ask("GET", path, token=one.token) for one in those for path in _ASKED]
    found = [answer.status for answer in await asyncio.gather(*asking)]
    if other := {*found} - {200, 401}:
        raise RuntimeError(f"answered {other} instead of taking or refusing a token")
    return found.count(200)


FAULTS = (Fault("revoked", "sessions end while those who have to hear of it die", revoked),)
