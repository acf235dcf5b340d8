"""Texts by section and key in several languages, with placeholders such as ``{number}``, and how they are filled."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from string import Formatter
from typing import Any

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.words import DEFAULT, FALLBACKS, Words

Key = tuple[str, str]
"""A section, such as ``refusals``, and a key in it, such as ``not-found``."""
Table = Mapping[Key, str]
"""The texts of one language."""

_REFUSED = re.compile(r"\b[A-Z]\w+: ([a-z0-9]+(?:-[a-z0-9]+)*)")
"""A refusal in a reason: its class and its code."""
_SECTION = re.compile(r":[\w-]+(?=})")


class TextsUnfit(Exception):
    """Texts that contradict each other; the text names all of them at once."""


class Texts:
    """The texts of one process in all its languages.

    A placeholder is filled by the fact of its name. ``{state:states}`` names a section: the fact is a key there, or a
    list of keys, or a mapping of a key and of facts of its own. Facts are never taken for texts with placeholders.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        """``tables``: the texts by language; TextsUnfit where a language contradicts the first one, ``zh``."""
        if wrong := list(contradictions(tables, tables[DEFAULT])):
            raise TextsUnfit("; ".join(wrong))
        self._tables = tables
        self._words: dict[Key, Words] = {}
        self.languages = tuple(sorted(tables, key=lambda language: (language != DEFAULT, language)))
        """The tags of its languages, ``zh`` first."""

    def get(self, section: str, key: str, language: str) -> str | None:
        """A text with its placeholders, in this language or in one that stands in for it; None where there is none."""
        tables = (self._tables[one] for one in (language, *FALLBACKS) if one in self._tables)
        return next((table[section, key] for table in tables if (section, key) in table), None)

    def fill(self, section: str, key: str, language: str, facts: Mapping[str, Any]) -> str:
        """A text with its placeholders filled; KeyError where there is no such text, or where a fact is missing."""
        text = self.get(section, key, language)
        if text is None:
            raise KeyError(f"{section}.{key}")
        return _Filling(self, language).vformat(text, (), facts)

    def words(self, section: str, key: str) -> Words:
        """A text without placeholders in all languages; KeyError where there is none."""
        found = self._words.get((section, key))
        if found is None:
            texts = {one: table[section, key] for one, table in self._tables.items() if (section, key) in table}
            if not texts:
                raise KeyError(f"{section}.{key}")
            found = self._words[section, key] = Words.model_validate(texts)
        return found

    def sentence(self, refusal: Refusal, language: str) -> str:
        """What happened and what to do."""
        if self.get("refusals", refusal.code(), language) is None:
            return self.title(refusal.kind, language)
        facts = {**refusal.params, "retry_after": refusal.retry_after}
        return self.fill("refusals", refusal.code(), language, facts)

    def explained(self, reason: str) -> str:
        """A reason as logs and parked events have it, with the sentence of the refusal that it names.

        For operators, in English. Placeholders stay unfilled: the reason already has the facts that may be logged.
        """
        for code in _REFUSED.findall(reason):
            if sentence := self.get("refusals", code, FALLBACKS[0]):
                return f"{reason} — {_SECTION.sub('', sentence)}"
        return reason

    def title(self, kind: Kind, language: str) -> str:
        """What a kind of refusal is called."""
        return self.fill("titles", kind, language, {})

    def moment(self, at: datetime, language: str) -> str:
        """A local time as people write it: ``2026年11月23日18:00``, ``23 November 2026, 18:00``."""
        facts = {"year": at.year, "month": at.month, "day": at.day, "time": f"{at:%H:%M}"}
        return self.fill("dates", "moment", language, facts)

    def show(self, fact: Any, section: str, language: str) -> str:
        """A fact as it is put into a placeholder; ``section`` is empty where the placeholder names none."""
        match fact:
            case Words():
                return fact.of(language)
            case list() | tuple():
                return self._listed([self.show(one, section, language) for one in fact], language)
            case {"key": key} if section:
                return self.fill(section, str(key), language, fact)
            case Mapping():
                return Words.model_validate(fact).of(language)
            case datetime():
                return self.moment(fact, language)
        return (section and self.get(section, str(fact), language)) or str(fact)

    def negotiate(self, accepted: str) -> str:
        """The language that an Accept-Language header asks for (RFC 9110 §12.5.4, lookup as in RFC 4647 §3.4)."""
        weights = _weights(accepted)
        allowed = [language for language in (DEFAULT, *self.languages) if weights.get(language.lower()) != 0]
        known = {language.lower(): language for language in allowed} | {"*": (allowed or [DEFAULT])[0]}
        for tag, weight in sorted(weights.items(), key=lambda one: -one[1]):
            while tag and weight > 0:
                if tag in known:
                    return known[tag]
                tag = tag.rpartition("-")[0]
        return known["*"]

    def missing(self) -> dict[str, list[str]]:
        """The keys that a language lacks, by language: there other languages stand in."""
        lacking = {one: self._tables[DEFAULT].keys() - table.keys() for one, table in self._tables.items()}
        return {one: sorted(map(".".join, keys)) for one, keys in lacking.items() if keys}

    def sections(self) -> set[str]:
        """The names of its sections."""
        return {section for section, _ in self._tables[DEFAULT]}

    def keys(self, section: str) -> set[str]:
        """The keys of a section."""
        return {key for within, key in self._tables[DEFAULT] if within == section}

    def _listed(self, shown: list[str], language: str) -> str:
        if not shown:
            return self.fill("lists", "empty", language, {})
        return self.fill("lists", "separator", language, {}).join(shown)


class _Filling(Formatter):
    """Fills placeholders in one language; what a placeholder says behind its colon is the section of its fact."""

    def __init__(self, texts: Texts, language: str) -> None:
        self._texts, self._language = texts, language

    def format_field(self, value: Any, format_spec: str) -> str:
        """The fact as it is shown."""
        return self._texts.show(value, format_spec, self._language)


def placeholders(text: str) -> set[str]:
    """The placeholders of a text, such as ``number`` or ``state:states``; ValueError where one cannot be filled."""
    found = set()
    for _, name, section, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or conversion or not (section or "x").replace("-", "").isidentifier():
            raise ValueError("a placeholder is {name} or {name:section}")
        found.add(f"{name}:{section}" if section else name)
    return found


def contradictions(tables: Mapping[str, Table], known: Table) -> Iterator[str]:
    """What is wrong with texts: one is empty, is not in ``zh``, cannot be read, or has other placeholders."""
    for language, table in tables.items():
        for key, text in table.items():
            where = f"{language} {'.'.join(key)}"
            if key not in known:
                yield f"{where}: there is no such text"
            elif not text.strip():
                yield f"{where} is empty"
            else:
                yield from (f"{where}: {problem}" for problem in _differing(text, known[key]))


def _differing(text: str, first: str) -> Iterator[str]:
    try:
        own, others = placeholders(text), placeholders(first)
    except ValueError as error:
        yield str(error)
        return
    if own != others:
        yield f"its placeholders are {sorted(own)}, in {DEFAULT} they are {sorted(others)}"


def _weights(accepted: str) -> Mapping[str, float]:
    """The tags of an Accept-Language header in lower case, each with its weight; ``*`` is one of them."""
    weights = dict[str, float]()
    for choice in accepted.lower().split(","):
        tag, _, parameter = choice.partition(";")
        name, _, weight = parameter.strip().partition("=")
        weights.setdefault(tag.strip(), _weight(weight) if name.strip() == "q" else 1.0)
    return weights


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
