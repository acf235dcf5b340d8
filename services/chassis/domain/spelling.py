"""One spelling for what people type in several: full and half width, traditional and simplified, capital and small."""

import re
import unicodedata
from datetime import date
from functools import cache
from importlib import resources

from pydantic import BeforeValidator


def spelled(text: str) -> str:
    """The text in one spelling; spaces and punctuation stay."""
    return half_width(text).translate(_simplified())


def normal(text: str) -> str:
    """Only the letters and digits of the text, in one spelling: what words are looked for in."""
    return "".join(letter for letter in spelled(text) if unicodedata.category(letter)[0] in "LNM")


def typed(code: str) -> str:
    """A login, number or one-time code as it was meant: half width, small letters, no spaces around or within it."""
    return "".join(half_width(code).split())


TYPED = BeforeValidator(lambda given: typed(given) if isinstance(given, str) else given)
"""For the annotation of a text that is typed from a screen or a message."""


def half_width(text: str) -> str:
    """The text in small letters of half width."""
    # Twice: a letter may have a compatible form only when it is small.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


_DAY = re.compile(r"(\d{4})(?:-|/|\.|\u5e74)(\d{1,2})(?:-|/|\.|\u6708)(\d{1,2})\u65e5?")


def day_from(text: str) -> date | None:
    """The day that somebody wrote as 2026-11-20, 2026/11/20, 2026.11.20 or with the Chinese signs for year, month and
    day; None where it is no such text. ValueError where there is no such day."""
    parts = _DAY.fullmatch(typed(text))
    return date(*map(int, parts.groups())) if parts else None


@cache
def _simplified() -> dict[int, str]:
    """Each traditional character as OpenCC simplifies it alone: its neighbours must not matter."""
    text = resources.files("opencc").joinpath("dictionary/TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if "\t" in line)
    return {ord(character): simple.split(" ")[0] for character, simple in pairs}
