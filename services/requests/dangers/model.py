"""Finds the kinds of danger that somebody's own words name: pure functions over the city's data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.chassis.domain.phrases import CLAUSE_ENDS, Phrases, plain, sentences
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
class _Kind:
    """A kind of danger as patterns."""

    danger: Danger
    phrases: Phrases
    harmless: Phrases
    doubts: tuple[_Doubt, ...]

    def among(self, letters: frozenset[str]) -> "_Kind":
        """The same with the phrases that may stand in a text of these characters."""
        return replace(self, phrases=self.phrases.among(letters), harmless=self.harmless.among(letters))

    def words(self, sentences: Sequence[str]) -> str | None:
        """The first words that name it without a doubt."""
        return next((words for one in sentences if (words := self._words(one)) is not None), None)

    def _words(self, sentence: str) -> str | None:
        passed = self.harmless.blot(sentence)
        for one in self.phrases.find(passed):
            if not any(doubt.holds(passed, one.start(), one.end()) for doubt in self.doubts):
                return one.group()
        return None


class Dangers:
    """The city's words of danger, compiled once for a process."""

    def __init__(self, city: CityDangers) -> None:
        doubts = {name: _doubt(one, city) for name, one in city.doubts.items()}
        self._harmless = Phrases.of(city.harmless, city.lists)
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
        passed = [harmless.blot(sentence) for sentence in sentences(text)]
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
