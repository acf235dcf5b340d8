"""Who a command acts as: the operator who holds the signing key, a staff account, a resident with a phone."""

import asyncio
import base64
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import orjson
import pyotp

from deploy.cli import screen
from deploy.cli.city.client import Answer, Gateway
from deploy.cli.city.credentials import Account
from deploy.cli.city.spool import Spool
from deploy.local import Trouble
from services.chassis.domain.scope import Actor
from services.chassis.http.signing import Signer

# An operator's token lives no longer than this, and none is used in its last minute.
LIFE = timedelta(minutes=10)
MARGIN_SECONDS = 60
OTP_SECONDS = 30
TRIES = 4
# Whoever waits longer than this many seconds without an end in sight thinks that it hangs.
LONGEST_WAIT_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """An access token with what it says of itself: who (as commands are recorded) and until when."""

    value: str
    actor: str
    person: str | None
    expires: float

    @classmethod
    def of(cls, value: str) -> "Token":
        """Read, not verified: that is for those who are asked."""
        part = value.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return cls(value, claims["sub"], claims.get("person"), claims["exp"])

    def holds(self) -> bool:
        """Whether it may still be used."""
        return time.time() < self.expires - MARGIN_SECONDS


class Bearer(Protocol):
    """Somebody who can sign in."""

    async def token(self) -> Token:
        """A token that holds, the same until it nears its end."""


class KeyHolder:
    """The operator of the stack: whoever can read its signing key may sign a token for any role.

    The token is made here, lives ten minutes at most, is renewed as long as the command runs, and acts as
    ``operator-of-the-stack``, so that everything that was done this way can be told in the histories.
    """

    ACTOR = "operator-of-the-stack"

    def __init__(self, keys: Path, roles: frozenset[str], place: str, issuer: str, audience: str) -> None:
        self._signer = Signer(keys, issuer, audience)
        self._actor = Actor(self.ACTOR, roles, (place,))
        self._token: Token | None = None

    async def token(self) -> Token:
        """Signed here, nobody is asked."""
        if self._token is None or not self._token.holds():
            self._token = Token.of(self._signer.sign(self._actor, datetime.now(UTC), LIFE))
        return self._token


class SignedIn:
    """Somebody who signs in once and stays signed in; many may ask for the token at the same time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._token: Token | None = None
        self._refresh = ""
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> Token:
        """A token that holds; Refused, CodeMissing or Unanswered where signing in fails."""
        async with self._one_at_a_time:
            if self._token is None or not self._token.holds():
                self._take(await self._refreshed() or await self._entered())
            assert self._token is not None
            return self._token

    async def _entered(self) -> dict[str, str]:
        """The tokens of a new session."""
        raise NotImplementedError

    async def _refreshed(self) -> dict[str, str] | None:
        """New tokens of the same session; None where there is none, or it is over."""
        if not self._refresh:
            return None
        answer = await self._gateway.ask("POST", "/v1/sign-in/refresh", body={"refresh_token": self._refresh})
        return answer.body if answer.ok else None

    def _take(self, tokens: dict[str, str]) -> None:
        self._token, self._refresh = Token.of(tokens["access_token"]), tokens["refresh_token"]


class StaffMember(SignedIn):
    """Somebody of the staff, with password and second factor."""

    def __init__(self, gateway: Gateway, account: Account) -> None:
        super().__init__(gateway)
        self.account = account

    async def _entered(self) -> dict[str, str]:
        """Sign in; a one-time code is good once, so where it is refused the next one is waited for."""
        for _ in range(TRIES):
            secret = {"login": self.account.login, "password": self.account.password}
            otp = pyotp.TOTP(self.account.totp_secret).now()
            answer = await self._gateway.ask("POST", "/v1/sign-in/staff", body={**secret, "otp": otp})
            if answer.ok:
                break
            await _wait(_retry_after(answer) or OTP_SECONDS - time.time() % OTP_SECONDS + 0.5, self.account.login)
        tokens: dict[str, str] = answer.expect(f"signing in as {self.account.login}")
        return tokens


class PhoneHolder(SignedIn):
    """A resident, who signs in with the code that comes to their phone (E.164)."""

    def __init__(self, gateway: Gateway, spool: Spool, phone: str) -> None:
        super().__init__(gateway)
        self.phone = phone
        self._spool = spool

    async def _entered(self) -> dict[str, str]:
        """Have a code sent and give it; where one was sent just now, the time is waited for that is asked for."""
        for _ in range(TRIES):
            asked = datetime.now(UTC) - timedelta(seconds=1)
            answer = await self._gateway.ask("POST", "/v1/sign-in/codes", body={"phone": self.phone})
            if answer.ok:
                answer = await self._give(asked)
            if answer.ok:
                break
            await _wait(_retry_after(answer), "this phone")
        tokens: dict[str, str] = answer.expect("signing in by phone")
        return tokens

    async def _give(self, asked: datetime) -> Answer:
        code = await self._spool.code(self.phone, asked)
        return await self._gateway.ask("POST", "/v1/sign-in/tokens", body={"phone": self.phone, "code": code})


async def _wait(seconds: float, who: str) -> None:
    """Wait before the next try, and say so; Trouble where it would be long."""
    if seconds > LONGEST_WAIT_SECONDS:
        minutes = math.ceil(seconds / 60)
        raise Trouble(f"Too many tries to sign in for {who}: try again in {minutes} min.", code=1)
    if seconds:
        screen.STDERR.print(f"waiting {seconds:.0f} s before the next try to sign in for {who}", soft_wrap=True)
    await asyncio.sleep(seconds)


def _retry_after(answer: Answer) -> float:
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0
