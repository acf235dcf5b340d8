"""Case numbers: short enough to be read aloud, with a check character, and a code that only its resident is told."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

CLAIM = "number"
"""The kind of claim by which a number belongs to one case."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letters that are taken for one another."""
_ALIKE = str.maketrans("OIL", "011")
_LENGTH = 5


def candidates(case_id: str, at: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The numbers that a case may get, the first one first: the day in the city, a part of its id, a check."""
    day, own = at.astimezone(zone).strftime("%y%m%d"), case_id.rpartition("_")[2].upper()
    for start in range(0, len(own) - _LENGTH + 1, _LENGTH):
        part = own[start : start + _LENGTH]
        yield f"{day}-{part}-{check(day + part)}"


def check(body: str) -> str:
    """The check character (Luhn's rule modulo 32): a wrong character, or two neighbours changed round, shows."""
    total, factor = 0, 2
    for character in reversed(body):
        product = factor * ALPHABET.index(character)
        total += product // len(ALPHABET) + product % len(ALPHABET)
        factor = 3 - factor
    return ALPHABET[-total % len(ALPHABET)]


def normal(said: str) -> str | None:
    """A number as it is stored, however it was typed; None where it cannot be one."""
    plain = "".join(c for c in said.upper().translate(_ALIKE) if c in ALPHABET)
    if len(plain) != 6 + _LENGTH + 1 or check(plain[:-1]) != plain[-1]:
        return None
    return f"{plain[:6]}-{plain[6:-1]}-{plain[-1]}"
