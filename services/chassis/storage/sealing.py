"""One sealed text: AES-256-GCM under a data key, bound to what it belongs to, written as text with its suite."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.domain.values import Sealed

_SUITE = "1"  # AES-256-GCM; another suite gets the next number


class Tampered(Exception):
    """Sealed bytes do not open for this subject and field kind: they were changed, or moved from elsewhere."""


def encrypted(key: AESGCM, text: str, bound: str) -> Sealed:
    """The text under a key; it opens only with the same ``bound``, such as ``city|subject|field``."""
    nonce = secrets.token_bytes(12)
    return _written(nonce + key.encrypt(nonce, text.encode(), bound.encode()))


def decrypted(key: AESGCM, sealed: Sealed, bound: str) -> str:
    """The text again; Tampered where the bytes were changed, or belong to something else."""
    try:
        box = _read(sealed)
        return key.decrypt(box[:12], box[12:], bound.encode()).decode()
    except (InvalidTag, ValueError):
        raise Tampered(bound) from None


def _written(box: bytes) -> Sealed:
    return Sealed(f"{_SUITE}.{base64.urlsafe_b64encode(box).decode().rstrip('=')}")


def _read(sealed: Sealed) -> bytes:
    """Decode; ValueError for an unknown suite and for any encoding but our own."""
    suite, _, body = sealed.partition(".")
    box = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    if suite != _SUITE or _written(box) != sealed:
        raise ValueError
    return box
