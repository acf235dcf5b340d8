"""Texts with gaps, compiled once when first used, and how the gaps are filled in a language."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any, Literal
from zoneinfo import ZoneInfo

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from services.contracts.notify.messages import Via

LANGUAGES = ("zh", "en")
Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Names:
    """A name in Chinese and, where there is one, in English."""

    zh: str
    en: str | None = None

    def of(self, language: str) -> str:
        """In a language, or in Chinese where the other name is missing."""
        return self.zh if language == "zh" else self.en or self.zh


Facts = Mapping[str, Names | datetime | str | int]
"""What fills the gaps; instants are told in the city's time zone, names in the reader's language."""


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """A text without gaps: for the inbox and mail a title and a body, for a phone, where asked for, one short line."""

    title: str
    body: str
    sms: str | None


class Texts:
    """All templates in all languages."""

    def __init__(self, zone: ZoneInfo, tables: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
        """``tables``: title, body and sms by language and name."""
        # Plain text goes out, never HTML; and what people wrote comes in as facts, never as a template.
        self._environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, auto_reload=False)
        self._environment.globals.clear()  # no text uses one, and each rendering would copy them
        self._environment.loader = FunctionLoader(self._text)
        self._zone = zone
        self._tables = tables

    @classmethod
    def read(cls, zone: ZoneInfo) -> "Texts":
        """The texts that stand beside this module, a file for each language."""
        folder = resources.files(__package__)
        return cls(
            zone, {lang: tomllib.loads(folder.joinpath(f"{lang}.toml").read_text("utf-8")) for lang in LANGUAGES}
        )

    def names(self) -> frozenset[tuple[str, str]]:
        """Every (language, name) there is."""
        return frozenset((language, name) for language, table in self._tables.items() for name in table)

    def write(self, name: str, language: str, facts: Facts, via: Collection[Via]) -> Written:
        """Fill the gaps; UndefinedError where a fact is missing, KeyError where there is no such text."""
        told = {key: self._told(value, language) for key, value in facts.items()}

        def rendered(of: str) -> str:
            return self._environment.get_template(f"{language}/{name}/{of}").render(told)

        return Written(rendered("title"), rendered("body"), rendered("sms") if Via.SMS in via else None)

    def _text(self, path: str) -> str:
        language, name, part = path.split("/")
        return self._tables[language][name][part].strip()

    def _told(self, value: Any, language: str) -> Any:
        if isinstance(value, Names):
            return value.of(language)
        return moment(value.astimezone(self._zone), language) if isinstance(value, datetime) else value


def moment(at: datetime, language: str) -> str:
    """A local point in time as people write it: ``2026年11月23日18:00``, ``23 November 2026, 18:00``."""
    if language == "zh":
        return f"{at.year}年{at.month}月{at.day}日{at:%H:%M}"
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
