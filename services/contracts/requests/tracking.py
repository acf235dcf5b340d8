"""The code that belongs to a case's number: each service derives the same code by itself."""

import unicodedata

BLIND = "track"
"""The kind of the blind index of a number, from which its code is made."""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without letters that look alike."""
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
