"""The identity of a command: the operator with the signing key, a staff account, or a resident with a phone."""

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
from services.contracts.members import work

# An operator's token lives no longer than this, and is not used in its last minute.
LIFE = timedelta(minutes=10)
MARGIN_SECONDS = 60
OTP_SECONDS = 30
TRIES = 4
# After this many seconds of waiting, the command says why it waits.
LONGEST_WAIT_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """An access token with its subject (as it is recorded) and its expiry."""

    value: str
    actor: str
    person: str | None
    expires: float

    @classmethod
    def of(cls, value: str) -> "Token":
        """Read without verification: the services verify it."""
        part = value.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return cls(value, claims["sub"], claims.get("person"), claims["exp"])

    def holds(self) -> bool:
        """Whether it can still be used."""
        return time.time() < self.expires - MARGIN_SECONDS


class Bearer(Protocol):
    """An account that can sign in."""

    async def token(self) -> Token:
        """A valid token; the same one until it is about to expire."""


class KeyHolder:
    """The operator of the stack, who can read the signing key and so can sign a token for any role.

    The token is made here, lives at most ten minutes, and is renewed while the command runs. It acts as ``operator-of-
    the-stack``, so that histories show what was done this way.
    """

    ACTOR = "operator-of-the-stack"

    def __init__(self, keys: Path, roles: frozenset[str], place: str, issuer: str, audience: str) -> None:
        self._signer = Signer(keys, issuer, audience)
        self._actor = Actor(self.ACTOR, roles, (place,))
        self._token: Token | None = None

    async def token(self) -> Token:
        """Signed here, without a request."""
        if self._token is None or not self._token.holds():
            self._token = Token.of(self._signer.sign(self._actor, datetime.now(UTC), LIFE))
        return self._token


class SignedIn:
    """An account that signs in once and refreshes its session; safe for concurrent callers."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._token: Token | None = None
        self._refresh = ""
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> Token:
        """A valid token; Refused, CodeMissing or Unanswered if signing in fails."""
        async with self._one_at_a_time:
            if self._token is None or not self._token.holds():
                self._take(await self._refreshed() or await self._entered())
            assert self._token is not None
            return self._token

    async def _entered(self) -> dict[str, str]:
        """The tokens of a new session."""
        raise NotImplementedError

    async def _refreshed(self) -> dict[str, str] | None:
        """New tokens of the same session; None if there is none, or it has ended."""
        if not self._refresh:
            return None
        answer = await self._gateway.ask("POST", "/v1/sign-in/refresh", body={"refresh_token": self._refresh})
        return answer.body if answer.ok else None

    async def _worked(self, path: str, body: dict[str, str]) -> Answer:
        """The answer to this; where it needs a little work, once more with it."""
        answer = await self._gateway.ask("POST", path, body=body)
        if answer.ok or answer.code != "work-or-wait":
            return answer
        todo = answer.body["params"]
        done = await asyncio.to_thread(work.done, todo["challenge"], todo["bits"])
        return await self._gateway.ask("POST", path, body={**body, "work": done})

    def _take(self, tokens: dict[str, str]) -> None:
        self._token, self._refresh = Token.of(tokens["access_token"]), tokens["refresh_token"]


class StaffMember(SignedIn):
    """A member of staff, with password and second factor."""

    def __init__(self, gateway: Gateway, account: Account) -> None:
        super().__init__(gateway)
        self.account = account

    async def _entered(self) -> dict[str, str]:
        """Sign in. A one-time code is valid once, so after a refusal the next code is used."""
        for _ in range(TRIES):
            secret = {"login": self.account.login, "password": self.account.password}
            otp = pyotp.TOTP(self.account.totp_secret).now()
            answer = await self._worked("/v1/sign-in/staff", {**secret, "otp": otp})
            if answer.ok:
                break
            await _wait(_retry_after(answer) or OTP_SECONDS - time.time() % OTP_SECONDS + 0.5, self.account.login)
        tokens: dict[str, str] = answer.expect(f"signing in as {self.account.login}")
        return tokens


class PhoneHolder(SignedIn):
    """A resident, who signs in with a code that comes to their phone (E.164)."""

    def __init__(self, gateway: Gateway, spool: Spool, phone: str) -> None:
        super().__init__(gateway)
        self.phone = phone
        self._spool = spool

    async def _entered(self) -> dict[str, str]:
        """Request a code and return it; if one was sent a moment ago, wait as long as the refusal says."""
        for _ in range(TRIES):
            asked = datetime.now(UTC) - timedelta(seconds=1)
            answer = await self._worked("/v1/sign-in/codes", {"phone": self.phone})
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
    """Wait before the next attempt and say so; Trouble if the wait is long."""
    if seconds > LONGEST_WAIT_SECONDS:
        minutes = math.ceil(seconds / 60)
        raise Trouble(f"Too many tries to sign in for {who}: try again in {minutes} min.", code=1)
    if seconds:
        screen.STDERR.print(f"waiting {seconds:.0f} s before the next try to sign in for {who}", soft_wrap=True)
    await asyncio.sleep(seconds)


def _retry_after(answer: Answer) -> float:
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else 0.0
