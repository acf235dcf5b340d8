"""Phrases: what is looked for in people's own words, written down as data, and the search for them.

A phrase is words as they are said. ``(a|b)`` is one of several, ``(a|)`` may be missing. ``…`` is up to eight
characters of the same clause, ``……`` up to twenty of the same sentence. ``#`` is a number; ``^`` and ``$`` are where a
clause begins and ends; ``{name}`` is one of the words of a list. A Latin word is found as a whole word.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, StringConstraints

from services.chassis.domain.spelling import spelled

GAP, WIDE_GAP = 8, 20
"""How many characters may stand for ``…`` and for ``……``."""
CLAUSE_ENDS = ",，、.。!！?？;；:：\n"
SENTENCE_ENDS = ".。!！?？;；\n"

_PHRASE = re.compile(r"[\w '()|~&#^${}-]+")
_TOKENS = re.compile(r"\{[a-z-]*\}|[()|~#^${}]|[^()|~#^${}]")
_SIGNS = {
    "~": rf"[^{CLAUSE_ENDS}]{{0,{GAP}}}?",
    "&": rf"[^{SENTENCE_ENDS}]{{0,{WIDE_GAP}}}?",
    "#": r"[0-9]+",
    "^": rf"(?<![^{CLAUSE_ENDS}])",
    "$": rf"(?![^{CLAUSE_ENDS}])",
}
_WHOLE_WORD = "(?<![a-z](?=[a-z]))"
_SPACES = re.compile(r"[^\S\n]+")
_BESIDE_CHINESE = re.compile(r"(?<=[\u3000-\u9fff]) | (?=[\u3000-\u9fff])")
_SENTENCE_END = re.compile(f"[{SENTENCE_ENDS}]+")
_BLOTTED = "*"

Span = tuple[int, int]
"""Where something stands in a text: from its first character to the one after its last."""

Needs = tuple[frozenset[str], ...]
"""Sets of characters: what fits has at least one of each."""


class PhraseUnfit(ValueError):
    """A phrase that cannot be read: it has a sign too many, names a list that is not there, or fits everywhere."""


def _read(phrase: str) -> str:
    """The phrase in one spelling, in which ``…`` would become three stops."""
    return spelled(phrase.replace("……", "&").replace("…", "~"))


def _checked(phrase: str) -> str:
    if not _PHRASE.fullmatch(_read(phrase)):
        raise PhraseUnfit(f"{phrase}: a phrase has letters, digits, spaces and the signs ( | ) … # ^ $ {{ }} only")
    return phrase


Phrase = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True), AfterValidator(_checked)
]


def plain(text: str) -> str:
    """A text as phrases are looked for in it: in one spelling, without spaces beside Chinese characters."""
    one = _SPACES.sub(" ", spelled(text).replace("\u2019", "'")).strip()
    return _BESIDE_CHINESE.sub("", one)


def sentences(text: str) -> list[str]:
    """The sentences of a text that is ``plain``: no phrase reaches from one into the next."""
    return [one for one in _SENTENCE_END.split(text) if one]


class _Part(NamedTuple):
    """A part of a phrase as a pattern, and what a text needs to have for it."""

    pattern: str
    needs: Needs


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases as patterns, each with the characters without which it need not be looked for: most texts have few."""

    known: Sequence[tuple[Needs, re.Pattern[str]]]

    @classmethod
    def of(cls, phrases: Iterable[str], lists: Mapping[str, Sequence[str]]) -> "Phrases":
        """Compile them; PhraseUnfit."""
        parts = [_whole(phrase, lists) for phrase in phrases]
        return cls([(part.needs, re.compile(part.pattern)) for part in parts])

    def among(self, letters: frozenset[str]) -> "Phrases":
        """Those that may stand in a text of these characters."""
        return Phrases([one for one in self.known if not any(letters.isdisjoint(need) for need in one[0])])

    def find(self, text: str) -> Iterator[re.Match[str]]:
        """Where they stand in a text that is ``plain``, phrase by phrase."""
        for _, pattern in self.among(frozenset(text)).known:
            yield from pattern.finditer(text)

    def within(self, text: str) -> bool:
        """Whether one of them stands in a text that is ``plain``."""
        return next(self.find(text), None) is not None

    def blot(self, text: str) -> str:
        """The text without them: each of their characters is another one, so that all else stays where it is."""
        return blotted(text, [one.span() for one in self.find(text)])


def blotted(text: str, spans: Iterable[Span]) -> str:
    """A text with other characters from each of these places to where it ends."""
    letters = [*text]
    for start, end in spans:
        letters[start:end] = _BLOTTED * (end - start)
    return "".join(letters)


def _whole(phrase: str, lists: Mapping[str, Sequence[str]]) -> _Part:
    tokens = [one.group() for one in _TOKENS.finditer(_read(phrase))]
    part = _alternatives(tokens, lists)
    if tokens:
        raise PhraseUnfit(f"{phrase}: has a bracket too many")
    whole = f"{_WHOLE_WORD}{part.pattern}{_WHOLE_WORD}"
    if not part.needs:
        raise PhraseUnfit(f"{phrase}: fits everywhere")
    return _Part(whole, part.needs)


def _alternatives(tokens: list[str], lists: Mapping[str, Sequence[str]]) -> _Part:
    """Takes what it reads from the tokens, up to the bracket that closes."""
    found = [_sequence(tokens, lists)]
    while tokens and tokens[0] == "|":
        del tokens[0]
        found.append(_sequence(tokens, lists))
    if len(found) == 1:
        return found[0]
    return _either(found)


def _either(parts: Sequence[_Part]) -> _Part:
    pattern = f"(?:{'|'.join(part.pattern for part in parts)})"
    if not all(part.needs for part in parts):
        return _Part(pattern, ())
    return _Part(pattern, (frozenset[str]().union(*(part.needs[-1] for part in parts)),))


def _sequence(tokens: list[str], lists: Mapping[str, Sequence[str]]) -> _Part:
    patterns, needs = list[str](), list[frozenset[str]]()
    while tokens and tokens[0] not in "|)":
        part = _one(tokens, lists)
        patterns.append(part.pattern)
        needs += part.needs
    return _Part("".join(patterns), tuple(needs))


def _one(tokens: list[str], lists: Mapping[str, Sequence[str]]) -> _Part:
    part = tokens.pop(0)
    if part == "(":
        inner = _alternatives(tokens, lists)
        if not tokens:
            raise PhraseUnfit("a bracket is not closed")
        del tokens[0]
        return _Part(f"(?:{inner.pattern})", inner.needs)
    if part in _SIGNS:
        return _Part(_SIGNS[part], (frozenset("0123456789"),) if part == "#" else ())
    if part[0] in "{}":
        name = part.strip("{}")
        if name not in lists:
            raise PhraseUnfit(f"{name}: there is no such list")
        return _either([_literal(word) for word in sorted(map(spelled, lists[name]), key=len, reverse=True)])
    return _literal(part)


def _literal(text: str) -> _Part:
    return _Part(re.escape(text), tuple(frozenset(letter) for letter in text if letter != " "))
