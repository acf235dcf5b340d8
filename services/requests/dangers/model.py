"""Finds the kinds of danger that somebody's own words name: pure functions over the city's data."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.chassis.domain.phrases import CLAUSE_ENDS, Phrases, Span, blotted, plain, sentences
from services.contracts.requests.dangers import CityDangers, Danger, Doubt

MOST = 3
"""How many kinds are named at most: who is in danger reads no list."""
NEAR, NEAR_LATIN = 12, 24
"""How many characters before and after the words of a danger a doubt may stand in the same clause."""
WIDE = 40
"""How many characters of the same sentence are looked through for a doubt about all of it."""


class Found(NamedTuple):
    """A kind of danger, and the words that name it."""

    danger: Danger
    words: str


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A doubt as patterns."""

    before: Phrases
    after: Phrases
    around: Phrases

    def holds(self, sentence: str, start: int, end: int) -> bool:
        """Whether it stands near what was found."""
        near = NEAR_LATIN if sentence[start:end].isascii() else NEAR
        before, after = _tail(sentence[max(0, start - near) : start]), _head(sentence[end : end + near])
        wide = sentence[max(0, start - WIDE) : end + WIDE]
        return self.before.within(before) or self.after.within(after) or self.around.within(wide)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence, and it with what only sounds like danger blotted out."""

    text: str
    harmless: tuple[Span, ...]
    passed: str
    """For the words of a danger."""
    doubted: str
    """For doubts: also without the words in which a doubt only seems to stand."""

    def without(self, harmless: Phrases) -> "_Sentence":
        """The same, with more that is harmless."""
        spans = tuple(one.span() for one in harmless.find(self.passed))
        if not spans:
            return self
        return replace(
            self,
            harmless=self.harmless + spans,
            passed=blotted(self.passed, spans),
            doubted=blotted(self.doubted, spans),
        )

    def goes_beyond(self, start: int, end: int) -> bool:
        """Whether words are more than what is harmless: they go on after it, or begin before it."""
        return all(
            end > until or (end == until and start < since)
            for since, until in self.harmless
            if since < end and start < until
        )


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of danger as patterns."""

    danger: Danger
    phrases: Phrases
    harmless: Phrases
    doubts: tuple[_Doubt, ...]

    def among(self, letters: frozenset[str]) -> "_Kind":
        """The same with the phrases that may stand in a text of these characters."""
        return replace(self, phrases=self.phrases.among(letters), harmless=self.harmless.among(letters))

    def words(self, sentences: Sequence[_Sentence]) -> str | None:
        """The first words that name it without a doubt."""
        return next((words for one in sentences if (words := self._words(one)) is not None), None)

    def _words(self, sentence: _Sentence) -> str | None:
        known = sentence.without(self.harmless)
        for one in self._found(known):
            if not any(doubt.holds(known.doubted, *one.span()) for doubt in self.doubts):
                return one.group()
        return None

    def _found(self, sentence: _Sentence) -> Iterator[re.Match[str]]:
        yield from self.phrases.find(sentence.passed)
        if sentence.harmless:
            yield from (one for one in self.phrases.find(sentence.text) if sentence.goes_beyond(*one.span()))


class Dangers:
    """The city's words of danger, compiled once for a process."""

    def __init__(self, city: CityDangers) -> None:
        doubts = {name: _doubt(one, city) for name, one in city.doubts.items()}
        self._harmless = Phrases.of(city.harmless, city.lists)
        self._undoubted = Phrases.of(city.undoubted, city.lists)
        self._kinds = [
            _Kind(
                kind,
                Phrases.of(kind.phrases, city.lists),
                Phrases.of(kind.harmless, city.lists),
                tuple(doubts[name] for name in kind.doubts),
            )
            for kind in city.kinds
        ]

    def find(self, *texts: str) -> list[Found]:
        """The kinds of danger in these texts, in the order of the city's data, at most three.

        A cry for help that says nothing else counts only where no other kind is found.
        """
        text = plain("\n".join(texts))
        letters = frozenset(text)
        harmless, kinds = self._harmless.among(letters), [kind.among(letters) for kind in self._kinds]
        undoubted = self._undoubted.among(letters)
        passed = [_Sentence(one, (), one, undoubted.blot(one)).without(harmless) for one in sentences(text)]
        found = [Found(kind.danger, words) for kind in kinds if (words := kind.words(passed)) is not None]
        return ([one for one in found if one.danger.items] or found)[:MOST]


def _doubt(doubt: Doubt, city: CityDangers) -> _Doubt:
    return _Doubt(*(Phrases.of(phrases, city.lists) for phrases in (doubt.before, doubt.after, doubt.around)))


def _tail(text: str) -> str:
    """The last clause of a text."""
    return text[max(text.rfind(end) for end in CLAUSE_ENDS) + 1 :]


def _head(text: str) -> str:
    """The first clause of a text."""
    return text[: min((at for end in CLAUSE_ENDS if (at := text.find(end)) >= 0), default=len(text))]
