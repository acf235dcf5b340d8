"""Gateway and services agree on tokens: what a service takes, the gateway has verified, and counts for its subject."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request

from deploy.local import Home, keys
from services.chassis.domain.refusals import TokenInvalid
from services.chassis.domain.scope import NOBODY
from services.chassis.domain.values import now
from services.chassis.http.auth import Tokens
from services.chassis.http.signing import SCHEMES, TYPE, public_key
from services.chassis.storage.revocations import Revocations
from tests.local.conftest import logged

Headers = list[tuple[str, str]]
"""The headers of a request, each as it is sent."""

SPELLINGS: Mapping[str, Callable[[str], Headers]] = {
    **{scheme: lambda token, scheme=scheme: [("authorization", f"{scheme} {token}")] for scheme in SCHEMES},  # type: ignore[misc]
    "mixed": lambda token: [("authorization", f"bEaReR {token}")],
    "two blanks": lambda token: [("authorization", f"Bearer  {token}")],
    "a tab": lambda token: [("authorization", f"Bearer\t{token}")],
    "no blank": lambda token: [("authorization", f"Bearer{token}")],
    "text before": lambda token: [("authorization", f"x Bearer {token}")],
    "text behind": lambda token: [("authorization", f"Bearer {token} x")],
    "a comma alone behind": lambda token: [("authorization", f"Bearer {token},")],
    "the same header twice": lambda token: [("authorization", f"Bearer {token}")] * 2,
    "a comma behind": lambda token: [("authorization", f"Bearer {token}, Bearer x")],
    "two headers": lambda token: [("authorization", f"Bearer {token}"), ("authorization", "Bearer x")],
    "two headers, the other first": lambda token: [("authorization", "Basic x"), ("authorization", f"Bearer {token}")],
    "basic": lambda token: [("authorization", f"Basic {token}")],
    "proxy": lambda token: [("proxy-authorization", f"Bearer {token}")],
    "token alone": lambda token: [("authorization", token)],
    "padded": lambda token: [("authorization", f"Bearer {token}==")],
}
AT = int(datetime.now(UTC).timestamp())
CLAIMS: Mapping[str, dict[str, Any]] = {
    "good": {},
    "exp as text": {"exp": str(AT + 900)},
    "iat as text": {"iat": str(AT)},
    "exp as a fraction": {"exp": AT + 900.5},
    "exp negative": {"exp": -1},
    "exp far away": {"exp": 2**60},
    "no exp": {"exp": None},
    "iat ahead": {"iat": AT + 600},
    "no iat": {"iat": None},
    "exp as true": {"exp": True},
    "nbf as text": {"nbf": str(AT)},
    "nbf ahead": {"nbf": AT + 600},
    "aud as a list": {"aud": ["linli", "other"]},
    "another aud": {"aud": "other"},
    "another iss": {"iss": "other"},
    "sub as a number": {"sub": 7},
    "sub as a list": {"sub": ["account_1"]},
    "roles as text": {"roles": "administrator"},
}
HEADS: Mapping[str, dict[str, Any]] = {
    "no kid": {"kid": None},
    "another kid": {"kid": "other"},
    "no signature": {"alg": "none"},
    "another algorithm": {"alg": "HS256"},
    "another typ": {"typ": "JWT"},
    "crit": {"crit": ["b64"], "b64": False},
    "its own key": {"jwk": {"kty": "OKP"}},
}


def signed(home: Home, sub: str, claims: dict[str, Any], **header: Any) -> str:
    """A token of ours but for what is given."""
    pem = next(keys.token_keys(home).glob("*.pem"))
    good = {"iss": "linli", "aud": "linli", "sub": sub, "iat": AT, "exp": AT + 900, "roles": ["resident"]}
    body = {name: value for name, value in {**good, **claims}.items() if value is not None}
    heads = {name: value for name, value in {"kid": public_key(pem)["kid"], "typ": TYPE, **header}.items() if value}
    # As it would come from a stranger's hand: the library refuses to write some of it.
    parts = (jwt.utils.base64url_encode(json.dumps(part).encode()) for part in ({"alg": "EdDSA", **heads}, body))
    inside = b".".join(parts)
    key = serialization.load_pem_private_key(pem.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    signature = key.sign(inside)
    return b".".join((inside, jwt.utils.base64url_encode(signature))).decode()


async def taken(home: Home, headers: Headers) -> bool:
    """Whether a service takes this for somebody."""
    tokens = Tokens(str(keys.jwks(home)), "linli", "linli", Revocations(None, (), now))  # type: ignore[arg-type]  # asks none
    raw = [(name.encode(), value.encode()) for name, value in headers]
    try:
        return await tokens.actor(Request({"type": "http", "method": "GET", "path": "/", "headers": raw})) is not NOBODY
    except TokenInvalid:
        return False


def counted(gateway: httpx.Client, home: Home, headers: Headers, sub: str, path: str) -> bool:
    """Whether the gateway passes it on as a request of this subject."""
    mark = secrets.token_hex(8)
    parent = f"00-{mark}{mark}-{mark}-01"
    answer = gateway.get(path, headers=[*headers, ("traceparent", parent)])
    entries = logged(home, "gateway", lambda one: str(one["traceparent"]).startswith(f"00-{mark}"))
    return answer.status_code == 200 and entries[-1]["subject"] == sub


@pytest.mark.parametrize("path", ["/v1/me", "/v1/sign-in"])
@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_spelling_that_a_service_takes_is_read_by_the_gateway(
    gateway: httpx.Client, home: Home, spelling: str, path: str
) -> None:
    sub = f"account_{secrets.token_hex(6)}"
    headers = SPELLINGS[spelling](signed(home, sub, {}))
    takes = await taken(home, headers)
    assert takes == (spelling in SCHEMES)
    if takes:
        assert counted(gateway, home, headers, sub, path)


@pytest.mark.parametrize("kind", [*CLAIMS, *HEADS])
async def test_a_token_that_a_service_takes_is_one_that_the_gateway_takes(
    gateway: httpx.Client, home: Home, kind: str
) -> None:
    sub = f"account_{secrets.token_hex(6)}"
    headers = [("authorization", f"Bearer {signed(home, sub, CLAIMS.get(kind, {}), **HEADS.get(kind, {}))}")]
    takes = await taken(home, headers)
    if kind in ("good", "aud as a list"):
        assert takes
    if takes:
        assert counted(gateway, home, headers, sub, "/v1/me")
