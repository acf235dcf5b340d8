"""The secrets of a local stack: created at the first start, readable by their owner only, never replaced."""

import os
import secrets
from pathlib import Path

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.home import Home
from deploy.local.trouble import Trouble
from services.chassis.http.signing import key_set


def make(home: Home, signing: Path | None = None) -> None:
    """Create the master key, a token signing key, and the public keys that verify tokens.

    ``signing`` is the folder of signing keys, if it is not the home's own; Trouble if it holds no key.
    """
    if not master_key(home).exists():
        write_private(master_key(home), secrets.token_hex(32).encode())
    token_keys(home).mkdir(mode=0o700, exist_ok=True)
    if not any(token_keys(home).glob("*.pem")):
        write_private(token_keys(home) / "0001.pem", _new_signing_key())
    public = key_set(signing or token_keys(home))
    if not public["keys"]:
        raise Trouble(f"{signing} holds no key (*.pem): put an Ed25519 key there, or unset LINLI_TOKEN_KEYS.")
    write_private(jwks(home), orjson.dumps(public, option=orjson.OPT_INDENT_2))


def master_key(home: Home) -> Path:
    """The city's master key, 64 hexadecimal characters."""
    return home.secrets / "master.key"


def token_keys(home: Home) -> Path:
    """The home's own folder of Ed25519 private keys; the newest name signs."""
    return home.secrets / "token-keys"


def jwks(home: Home) -> Path:
    """The public keys of the signing keys (RFC 7517)."""
    return home.secrets / "jwks.json"


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, atomically."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


def _new_signing_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
