"""The city's master key: it wraps the data keys, and makes blind indexes and fingerprints."""

import hmac
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class MasterKey:
    """The city's master key: wraps the data keys and makes blind indexes."""

    def __init__(self, raw: bytes, city: str) -> None:
        self.city = city
        self._wrap = AESGCM(_derived(raw, "wrap"))
        self._blind = _derived(raw, "blind")
        self._print = _derived(raw, "fingerprint")

    @classmethod
    def read(cls, file: Path, city: str) -> "MasterKey":
        """Read from a file of 64 hexadecimal characters; ValueError for anything else."""
        raw = bytes.fromhex(file.read_text().strip())
        if len(raw) != 32:
            raise ValueError(f"{file} must hold 64 hexadecimal characters")
        return cls(raw, city)

    def wrap(self, key: bytes, subject: str) -> bytes:
        """A data key in the form in which it is stored and sent."""
        nonce = secrets.token_bytes(12)
        return nonce + self._wrap.encrypt(nonce, key, self._bound(subject))

    def unwrap(self, wrapped: bytes, subject: str) -> AESGCM:
        """A data key, ready for use; InvalidTag or ValueError if it was wrapped for another subject or with another
        master key."""
        return AESGCM(self._wrap.decrypt(wrapped[:12], wrapped[12:], self._bound(subject)))

    def blind(self, kind: str, value: str) -> str:
        """The blind index of a value: equal values give equal texts, which reveal nothing else."""
        return hmac.digest(self._blind, f"{self.city}|{kind}|{value}".encode(), "sha256").hex()[:40]

    def fingerprint(self, payload: bytes) -> str:
        """The fingerprint of a payload, which tells a repeat from another request."""
        return hmac.digest(self._print, payload, "sha256").hex()[:32]

    def _bound(self, subject: str) -> bytes:
        return f"{self.city}|{subject}|data key".encode()


def _derived(raw: bytes, purpose: str) -> bytes:
    return hmac.digest(raw, f"linli {purpose}".encode(), "sha256")
