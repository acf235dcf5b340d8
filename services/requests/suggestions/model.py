"""Finds the service items for a resident's own words: pure functions over the catalogue's keywords."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from math import log
from operator import add
from typing import NamedTuple

from services.chassis.domain.spelling import spelled

LIMIT = 5
"""How many items are suggested at most."""
TITLE = 4.0
"""The weight of a word in the title, relative to one occurrence in the text: people put the matter into the title."""
FAINT = 0.25
"""The weight of a general item's words: it leads only if nothing specific is said."""
LATER = 0.6
"""How much more the last word of a title weighs than the first: in Chinese the place comes first, the matter last."""
FADING = 0.85
"""Each further word of an item adds less than the one before, so that no item wins by a long list of keywords."""
SENSIBLE = 4
"""A text with fewer different words (in Chinese: characters) is too short to match."""

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\d_]{2,}")


class Entry(NamedTuple):
    """What suggestion needs to know of a service item."""

    code: str
    name: str
    keywords: tuple[str, ...]
    general: bool = False


class Suggestion(NamedTuple):
    """An item that fits, how well (only comparable within one answer), and the words that say so."""

    code: str
    score: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The inverted catalogue: from two first characters to the lengths of words, from a word to its items."""

    heads: Mapping[str, tuple[int, ...]]
    items: Mapping[str, tuple[tuple[str, float], ...]]
    general: tuple[str, ...]


def build(entries: Iterable[Entry]) -> TermIndex:
    """Index the given items (leave inactive ones out); words have two characters or more.

    A word weighs less if more items have it among their words.
    """
    known = sorted(entries)
    words = {entry.code: {spelled(word) for word in (entry.name, *entry.keywords)} for entry in known}
    spread = _spread(words)
    items: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for entry in known:
        for word in sorted(words[entry.code]):
            weight = len(word) ** 0.75 * log((len(known) + 1) / spread[word]) * (FAINT if entry.general else 1.0)
            items[word].append((entry.code, weight))
    heads: dict[str, set[int]] = defaultdict(set)
    for word in items:
        heads[word[:2]].add(len(word))
    return TermIndex(
        heads={head: tuple(sorted(lengths)) for head, lengths in heads.items()},
        items={word: tuple(found) for word, found in items.items()},
        general=tuple(entry.code for entry in known if entry.general),
    )


def suggest(index: TermIndex, text: str, title: str = "") -> list[Suggestion]:
    """Up to five items, best first; the same words always give the same answer.

    A meaningful text without any word of the catalogue gets the general items, with score 0 and no reason. An empty
    text, or one with fewer than four different words, gets nothing.
    """
    title, text = spelled(title), spelled(text)
    found = {word: 1 + log(times) for word, times in _words_in(index, text).items()}
    for word in _words_in(index, title):
        found[word] = found.get(word, 0.0) + TITLE * (1 + LATER * (_place(word, title) - 0.5))
    if not found:
        return [Suggestion(code, 0.0, ()) for code in index.general[:LIMIT]] if _sensible(title + text) else []
    reasons: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for word, strength in found.items():
        for code, weight in index.items[word]:
            reasons[code].append((-weight * strength, word))
    return sorted(starmap(_judged, reasons.items()), key=lambda one: (-one.score, one.code))[:LIMIT]


def leading(items: Mapping[str, str], found: Sequence[Suggestion]) -> list[Suggestion]:
    """The suggestions with these items first, in their order: each with its words, and a score above all others'."""
    others = [one for one in found if one.code not in items]
    above = max((one.score for one in found), default=0.0)
    first = [
        Suggestion(code, round(above + len(items) - place, 3), (words,))
        for place, (code, words) in enumerate(items.items())
    ]
    return [*first, *others][:LIMIT]


def _judged(code: str, reasons: list[tuple[float, str]]) -> Suggestion:
    reasons.sort()
    score = sum(-weight * FADING**place for place, (weight, _) in enumerate(reasons))
    return Suggestion(code, round(score, 3), tuple(word for _, word in reasons))


def _place(word: str, title: str) -> float:
    return (title.rindex(word) + len(word)) / len(title)


def _spread(words: Mapping[str, set[str]]) -> dict[str, int]:
    joined = ["\n".join(own) for own in words.values()]
    return {word: sum(word in own for own in joined) for own in words.values() for word in own}


def _words_in(index: TermIndex, text: str) -> Counter[str]:
    # One look-up of two characters at each position; only where they begin a word, one more for each length.
    starts = [(at, pair) for at, pair in enumerate(map(add, text, text[1:])) if pair in index.heads]
    parts = (text[at : at + length] for at, pair in starts for length in index.heads[pair])
    return Counter(part for part in parts if part in index.items)


def _sensible(text: str) -> bool:
    return len(set(_WORD.findall(text))) >= SENSIBLE
