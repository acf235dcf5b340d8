"""Who a command acts as: the operator who holds the signing key, a staff account, a resident with a phone."""

import asyncio
import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import orjson
import pyotp

from deploy.cli.city.client import Gateway, Refused
from deploy.cli.city.credentials import Account
from deploy.cli.city.spool import CodeMissing, Spool
from deploy.local import Home, keys
from services.chassis.domain.scope import Actor
from services.chassis.http.signing import Signer

# An operator's token lives no longer than this, and none is used in its last minute.
LIFE = timedelta(minutes=10)
MARGIN_SECONDS = 60
OTP_SECONDS = 30
TRIES = 4


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

    def __init__(self, home: Home, roles: frozenset[str], place: str, issuer: str, audience: str) -> None:
        self._signer = Signer(keys.token_keys(home), issuer, audience)
        self._actor = Actor(self.ACTOR, roles, (place,))
        self._token: Token | None = None

    async def token(self) -> Token:
        """Signed here, nobody is asked."""
        if self._token is None or not self._token.holds():
            self._token = Token.of(self._signer.sign(self._actor, datetime.now(UTC), LIFE))
        return self._token
