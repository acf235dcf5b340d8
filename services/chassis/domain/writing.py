"""Text as a person writes it: there is something to read in it, and nothing that cannot be seen."""

from unicodedata import category

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_BREAKS = frozenset("\n\r\t")
_NEEDED = frozenset("\u200c\u200d\u180e")
"""Joiners, and the Mongolian vowel separator: a script cannot be written without them. Its variation selectors and the
narrow space of its suffixes are no format characters."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like a space: fillers of Hangul, the blank of Braille."""
_UNSEEN = frozenset(("Cc", "Cf"))
_PASTED = frozenset("\u00ad\u200b\u2060\ufeff")
"""Soft hyphen, zero-width space, word joiner, byte order mark: they come along where a text is copied from a page, and
say nothing."""
_HARMLESS = _BREAKS | _NEEDED | _PASTED
_WITHOUT_PASTED = dict.fromkeys(map(ord, _PASTED))


def legible(text: str) -> str:
    """The text without what was pasted along with it; PydanticCustomError where nothing in it can be read, or something
    in it cannot be seen.

    Controls and format characters could reverse, hide or break what stands beside them (Unicode TR 36).
    """
    for place, character in enumerate(text, 1):
        if category(character) in _UNSEEN and character not in _HARMLESS:
            facts = {"character": f"U+{ord(character):04X}", "place": place}
            raise PydanticCustomError("unseen_character", "has {character} at {place}, which cannot be seen", facts)
    if not any(category(character)[0] in "LNS" and character not in _BLANK for character in text):
        raise PydanticCustomError("nothing_to_read", "has no letter, digit or symbol")
    return text.translate(_WITHOUT_PASTED)


def is_legible(text: str) -> bool:
    """The same as a question."""
    try:
        return bool(legible(text))
    except PydanticCustomError:
        return False


LEGIBLE = AfterValidator(legible)
"""For the annotation of every text that a person writes."""
