"""Signed access tokens; ``auth`` reads them."""

import base64
import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import serialization

from services.chassis.domain.scope import Actor

TYPE = "at+jwt"
SCHEMES = ("Bearer", "bearer", "BEARER")
"""The spellings in which a token is taken, by services and gateway.

The gateway counts what each subject asks for: what it does not read as a token, no service may.
"""
LIFE = timedelta(minutes=15)


class Signer:
    """Signs with the last Ed25519 key (``*.pem``) of a folder by file name, so a new key needs a later name."""

    def __init__(self, folder: Path, issuer: str, audience: str) -> None:
        """ValueError if the folder holds no key."""
        last = max(folder.glob("*.pem"))
        self._key = last.read_text()
        self._name = public_key(last)["kid"]
        self._issuer = issuer
        self._audience = audience

    def sign(self, actor: Actor, at: datetime, life: timedelta = LIFE) -> str:
        """An access token for an actor, valid from ``at`` for ``life``."""
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": actor.id,
            "iat": int(at.timestamp()),
            "exp": int((at + life).timestamp()),
            "roles": sorted(actor.roles),
            "places": list(actor.places),
            "organisations": list(actor.organisations),
            "person": actor.person,
            "sid": actor.session,
            "grants": actor.grants,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._name, "typ": TYPE})


def key_set(folder: Path) -> dict[str, Any]:
    """The public keys of all keys in a folder (RFC 7517)."""
    return {"keys": [public_key(file) for file in sorted(folder.glob("*.pem"))]}


def public_key(file: Path) -> dict[str, str]:
    """The public key of a PEM key as a JWK (RFC 8037), with its thumbprint (RFC 7638) as id."""
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    named = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    kid = _base64url(hashlib.sha256(orjson.dumps(named, option=orjson.OPT_SORT_KEYS)).digest())
    return {**named, "kid": kid, "use": "sig", "alg": "EdDSA"}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
