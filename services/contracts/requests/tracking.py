"""Numbers of cases as people type them, and the code that belongs to each: every service derives the same by itself."""

import unicodedata

BLIND = "track"
"""The kind of the blind index of a number, from which its code is made."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without letters that look alike."""
LENGTH = 5
"""The characters of a number between its day and its check character."""
_ALIKE = str.maketrans("OIL", "011")
_BITS, _CHARACTERS, _GROUP = 5, 10, 5


def code_from(blind: str) -> str:
    """The code, 50 bits in two groups, from a number's blind index (hexadecimal); such as ``7K3QX-9M2WD``."""
    bits = int(blind, 16) >> (4 * len(blind) - _BITS * _CHARACTERS)
    letters = "".join(ALPHABET[bits >> _BITS * place & 31] for place in reversed(range(_CHARACTERS)))
    return f"{letters[:_GROUP]}-{letters[_GROUP:]}"


def plain(said: str) -> str:
    """The characters of a number or a code, however it was typed or heard."""
    letters = unicodedata.normalize("NFKC", said).upper().translate(_ALIKE)
    return "".join(letter for letter in letters if letter in ALPHABET)


def check(body: str) -> str:
    """The check character (Luhn's rule modulo 32): it detects a wrong character and two swapped neighbours."""
    total, factor = 0, 2
    for character in reversed(body):
        product = factor * ALPHABET.index(character)
        total += product // len(ALPHABET) + product % len(ALPHABET)
        factor = 3 - factor
    return ALPHABET[-total % len(ALPHABET)]


def normal(said: str) -> str | None:
    """A number in its stored form, however it was typed; None if it cannot be one."""
    letters = plain(said)
    if len(letters) != 6 + LENGTH + 1 or check(letters[:-1]) != letters[-1]:
        return None
    return f"{letters[:6]}-{letters[6:-1]}-{letters[-1]}"
