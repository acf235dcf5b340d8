"""The files of a service: its secrets are its own, and the keys that sign tokens are those that verify them."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from services.chassis.http.auth import PublicKeys
from services.chassis.http.signing import public_key
from services.chassis.operations.doctor.findings import Finding, ok, secret, soon, wrong
from services.chassis.runtime.settings import Settings
from services.chassis.storage.master_key import MasterKey

OLDEST_DAYS = 365
"""A key that signs tokens is to be followed by another after a year."""


async def look(settings: Settings) -> list[Finding]:
    """Secrets and keys."""
    pems = sorted(settings.token_keys.glob("*.pem")) if settings.token_keys else []
    return [*await asyncio.to_thread(_secrets, settings, pems), *await _keys(settings, pems)]


def _secrets(settings: Settings, pems: Sequence[Path]) -> list[Finding]:
    given = (settings.master_key_file, settings.sms_secret_file, settings.smtp_password_file)
    files = [file for file in given if file is not None] + list(pems)
    found = [finding for file in files if (finding := secret("secrets", file))] + list(_master_key(settings))
    return found or [ok("secrets", f"{len(files)} files, read by their owner only")]


def _master_key(settings: Settings) -> Iterator[Finding]:
    with suppress(OSError):  # one that cannot be read is told of with the others
        try:
            MasterKey.read(settings.master_key_file, settings.city)
        except ValueError:
            said = f"{settings.master_key_file} does not hold 64 hexadecimal characters"
            yield wrong("secrets", said, "put the city's master key back from its safe: no other opens what is sealed")


async def _keys(settings: Settings, pems: Sequence[Path]) -> list[Finding]:
    known = await PublicKeys(settings.jwks).names()
    if not known:
        said = f"{settings.jwks} holds no key that can be used, so that nobody can sign in"
        return [wrong("token keys", said, "put the public keys of the token issuer there")]
    if settings.token_keys is None:
        return [ok("token keys", f"{len(known)} public keys verify")]
    if not pems:
        return [
            wrong("token keys", f"{settings.token_keys} holds no key that signs", "put an Ed25519 key (*.pem) there")
        ]
    return [await asyncio.to_thread(_signing, pems[-1], known)]


def _signing(pem: Path, known: frozenset[str]) -> Finding:
    try:
        name = public_key(pem)["kid"]
    except (OSError, ValueError, TypeError):
        return wrong("token keys", f"{pem} is no Ed25519 key", "put an Ed25519 key in its place")
    days = int((time.time() - pem.stat().st_mtime) / 86400)
    if name not in known:
        advice = "publish its public half there, or take it out of the folder"
        return wrong(
            "token keys", f"{pem.name} signs, and is not among the public keys: its tokens are refused", advice
        )
    said = f"{pem.name} signs, {days} days old; {len(known)} public keys verify"
    if days > OLDEST_DAYS:
        return soon("token keys", said, f"put a new key beside {pem}, publish its public half, then restart")
    return ok("token keys", said)
