"""The files of a service: its secrets are private, and the signing keys match the verifying keys."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from services.chassis.http.auth import PublicKeys
from services.chassis.http.signing import public_key
from services.chassis.operations.doctor.findings import Finding, ok, secret, soon, wrong
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Holds, Settings, files
from services.chassis.storage.master_key import MasterKey

OLDEST_DAYS = 365
"""A signing key should be replaced after a year."""


async def look(settings: Settings, service: Service) -> list[Finding]:
    """The secrets and keys that the settings of the process and of the service's sub-domains name."""
    declared = [settings, *(settings.of(kind) for kind in service.settings)]
    folders = files(declared, Holds.SIGNING_KEYS)
    pems = [pem for folder in folders for pem in sorted(folder.glob("*.pem"))]
    secrets = _secrets(settings, [*files(declared, Holds.PRIVATE), *pems])
    return [*await asyncio.to_thread(list, secrets), *await _keys(settings, folders, pems)]


def _secrets(settings: Settings, secrets: Sequence[Path]) -> Iterator[Finding]:
    found = [finding for file in secrets if (finding := secret("secrets", file))] + list(_master_key(settings))
    yield from found or [ok("secrets", f"{len(secrets)} files, read by their owner only")]


def _master_key(settings: Settings) -> Iterator[Finding]:
    with suppress(OSError):  # an unreadable one is reported with the others
        try:
            MasterKey.read(settings.master_key_file, settings.city)
        except ValueError:
            said = f"{settings.master_key_file} does not hold 64 hexadecimal characters"
            yield wrong(
                "secrets", said, "restore the city's master key from its backup: no other key opens sealed data"
            )


async def _keys(settings: Settings, folders: Sequence[Path], pems: Sequence[Path]) -> list[Finding]:
    known = await PublicKeys(settings.jwks).names()
    if not known:
        said = f"{settings.jwks} holds no key that can be used, so that nobody can sign in"
        return [wrong("token keys", said, "put the public keys of the token issuer there")]
    if not folders:
        return [ok("token keys", f"{len(known)} public keys verify")]
    if not pems:
        return [wrong("token keys", f"{folders[0]} holds no key that signs", "put an Ed25519 key (*.pem) there")]
    return [await asyncio.to_thread(_signing, pems[-1], known)]


def _signing(pem: Path, known: frozenset[str]) -> Finding:
    try:
        name = public_key(pem)["kid"]
    except (OSError, ValueError, TypeError):
        return wrong("token keys", f"{pem} is not an Ed25519 key", "put an Ed25519 key in its place")
    days = int((time.time() - pem.stat().st_mtime) / 86400)
    if name not in known:
        advice = "publish its public half there, or take it out of the folder"
        return wrong(
            "token keys",
            f"{pem.name} signs, and is not among the public keys: tokens signed with it are refused",
            advice,
        )
    said = f"{pem.name} signs, {days} days old; {len(known)} public keys verify"
    if days > OLDEST_DAYS:
        return soon("token keys", said, f"put a new key beside {pem}, publish its public half, then restart")
    return ok("token keys", said)
