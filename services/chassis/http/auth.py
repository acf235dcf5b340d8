"""Tokens: each service verifies them itself, although the gateway has done so."""

import asyncio
import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from fastapi import Request

from services.chassis.domain.refusals import TokenInvalid
from services.chassis.domain.scope import LONGEST_TOKEN, NOBODY, SYSTEM, Actor
from services.chassis.http.signing import SCHEMES, TYPE
from services.chassis.storage.revocations import Revocations
from services.chassis.telemetry import logs
from services.chassis.telemetry.lazy import lazy_import

log = logs.get()

ALGORITHMS = ["EdDSA", "ES256"]
_FOREIGN = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
"""Headers that bring their own key, or require extensions that are not supported."""
_BEARER = re.compile(rf"(?:{'|'.join(SCHEMES)}) ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_AGAIN_AFTER = 5.0
_STALE_AFTER = 300.0
_LEEWAY = 5
_REMEMBERED = 10_000

Load = Callable[[str], Awaitable[Any]]


class PublicKeys:
    """The public keys of the token issuer, from a file or a URL.

    They are read again when a token names an unknown key, and every five minutes, so that a withdrawn key stops
    working.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        is_address = source.startswith(("http://", "https://"))
        self._load: Load = lazy_import("services.chassis.http.fetching", "json_at") if is_address else _json_in
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, name: str) -> jwt.PyJWK | None:
        """The key with this id, or None if the issuer has no such key."""
        if self._is_due(name):
            async with self._lock:
                if self._is_due(name):
                    await self._read()
        return self._keys.get(name)

    async def names(self) -> frozenset[str]:
        """The ids of all usable keys; none if they cannot be read."""
        await self._read()
        return frozenset(self._keys)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() - self._read_at > (_STALE_AFTER if name in self._keys else _AGAIN_AFTER)

    async def _read(self) -> None:
        try:
            entries = (await self._load(self._source))["keys"]
            self._keys = dict(key for entry in entries for key in _usable(entry))
        except (OSError, LookupError, TypeError, ValueError) as error:
            log.error("the keys of the token issuer cannot be read", source=self._source, reason=logs.safe_text(error))
        finally:  # set last: a concurrent caller must wait for these keys, not proceed without them
            self._read_at = time.monotonic()


async def _json_in(file: str) -> Any:
    return json.loads(await asyncio.to_thread(Path(file).read_text))


def _usable(entry: Any) -> Iterator[tuple[str, jwt.PyJWK]]:
    """The key with its id; nothing for an unsupported type, because an issuer may have other keys as well."""
    try:
        yield str(entry["kid"]), jwt.PyJWK(entry)
    except (AttributeError, LookupError, TypeError, ValueError, jwt.PyJWTError) as error:
        log.warning("a key of the token issuer is of no use here", reason=logs.safe_text(error))


@dataclass(frozen=True, slots=True)
class _Verified:
    """A signature that was verified: with which key, and until when it is valid."""

    kid: str
    key: jwt.PyJWK
    until: float
    actor: Actor


class Tokens:
    """Reads the actor of a request from its bearer token."""

    def __init__(self, jwks: str, issuer: str, audience: str, revocations: Revocations) -> None:
        """``jwks``: a file or an address with the issuer's public keys; tokens must name ``issuer``, ``audience``."""
        self._revocations = revocations
        self._keys = PublicKeys(jwks)
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._issuer = issuer
        self._audience = audience

    async def actor(self, request: Request) -> Actor:
        """The actor; NOBODY without a token. Raises TokenInvalid, also for one that was revoked."""
        headers = request.headers.getlist("authorization")
        if not headers:
            return NOBODY
        given = _BEARER.fullmatch(headers[0])
        if given is None or len(headers) > 1:
            raise TokenInvalid
        actor = await self._bearer(given[1])
        if await self._revocations.include(actor):
            raise TokenInvalid
        return actor

    async def _bearer(self, token: str) -> Actor:
        digest = hashlib.sha256(token.encode()).digest()
        if actor := await self._known(digest):
            return actor
        kid, key, claims = await self._claims(token)
        actor = _actor(claims)
        self._remember(digest, _Verified(kid, key, int(claims["exp"]) + _LEEWAY, actor))
        return actor

    async def _known(self, digest: bytes) -> Actor | None:
        """The actor, if this very token was verified before, its key is still valid, and it has not expired."""
        found = self._verified.get(digest)
        if found is None or time.time() >= found.until or await self._keys.get(found.kid) is not found.key:
            return None
        return found.actor

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        self._verified[digest] = verified
        while len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)

    async def _claims(self, token: str) -> tuple[str, jwt.PyJWK, dict[str, Any]]:
        """RFC 8725: algorithms, type, issuer and audience are pinned; the key comes from our own list by its id."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != TYPE or header.get("alg") not in ALGORITHMS or not _FOREIGN.isdisjoint(header):
                raise TokenInvalid
            key = await self._keys.get(str(header.get("kid")))
            if key is None or key.algorithm_name != header["alg"]:
                raise TokenInvalid
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError:
            raise TokenInvalid from None
        # The library takes numbers that are written as text; the gateway does not.
        if not all(type(claims[name]) in (int, float) for name in ("exp", "iat", "nbf") if name in claims):
            raise TokenInvalid
        if int(claims["exp"]) - int(claims["iat"]) > LONGEST_TOKEN.total_seconds():
            raise TokenInvalid
        return str(header["kid"]), key, claims


def _actor(claims: dict[str, Any]) -> Actor:
    return Actor(
        id=claims["sub"],
        roles=frozenset(claims.get("roles", ())) - {SYSTEM},  # a request can never act as the system
        places=tuple(claims.get("places", ())),
        organisations=tuple(claims.get("organisations", ())),
        person=claims.get("person"),
        session=claims.get("sid"),
        until=datetime.fromtimestamp(int(claims["exp"]), UTC),
        grants=int(claims.get("grants", 0)),
    )
