"""A small proof of work. The server gives a challenge and a number of bits; the client looks for a nonce such that the
SHA-256 of ``<challenge>.<nonce>`` begins with that number of zero bits, and sends ``<challenge>.<nonce>``.
"""

import hashlib
import itertools

CLIENT_ADDRESS = "x-linli-client-address"
"""The header in which the gateway says where a request came from; it keeps what a client says under this name away."""


def is_done(work: str, bits: int) -> bool:
    """Whether this is a challenge with a nonce that fits."""
    return int.from_bytes(hashlib.sha256(work.encode()).digest(), "big") >> (256 - bits) == 0


def done(challenge: str, bits: int) -> str:
    """The challenge with a nonce that fits, found by trying: 2 to the power of ``bits`` times on average."""
    return next(work for nonce in itertools.count() if is_done(work := f"{challenge}.{nonce}", bits))
