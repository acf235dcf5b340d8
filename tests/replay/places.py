"""Where a message happened: its own place marks, spread over the communities of the city by a stable rule.

The publisher of such messages hides places behind marks: A市 is a city, A3区 or B9县 one of its districts. The rule:

1. The first mark with a number (A3区, J11市, B9县) names a county: the same mark always the same one.
2. Without one, a letter alone (A市) or no mark at all leaves the county to the resident's pseudonym.
3. The community in that county is chosen by the pseudonym: who writes twice of one district, writes of one community.

Every choice is a SHA-256 of these words, so it is the same in every run and on every machine.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

_DISTRICT = re.compile(r"(?<![A-Za-z0-9])([A-Z]\d{1,2})\s?[市区县]")


@dataclass(frozen=True)
class Places:
    """The communities to spread over."""

    communities: Sequence[str]

    def of(self, text: str, user: str) -> str:
        """The code of the community that a message is filed against."""
        counties = sorted({code[:6] for code in self.communities})
        county = counties[number(mark(text) or f"user:{user}", len(counties))]
        inside = sorted(code for code in self.communities if code.startswith(county))
        return inside[number(f"{county}:{user}", len(inside))]


def mark(text: str) -> str | None:
    """The first mark of a district in a text, None where there is none."""
    found = _DISTRICT.search(text)
    return found[1] if found else None


def number(words: str, among: int) -> int:
    """A stable choice: a whole number from 0 up to, not including, ``among``."""
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big") % among
