"""Templates: the texts of notices, whose placeholders are filled by facts in the language of the recipient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.chassis.domain.texts import Texts
from services.chassis.domain.words import Words

Facts = Mapping[str, Words | datetime | str | int]
"""What fills the placeholders: instants, names, plain text, and keys of texts where one names their section."""


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """A text without placeholders: title and body for the inbox and mail, one short line for SMS if wanted."""

    title: str
    body: str
    sms: str | None


def section(template: str) -> str:
    """Where the texts have the title, body and sms of a template."""
    return f"notices.{template}"


@dataclass(frozen=True, slots=True)
class Said:
    """The facts for a text; ``outside``: those for its title and its short form, which others may see."""

    facts: Facts
    outside: Facts


def write(texts: Texts, zone: ZoneInfo, template: str, language: str, said: Said, *, short: bool) -> Written:
    """Fill the placeholders, instants by the clock of ``zone``; KeyError without a fact of that name or such a text."""

    def filled(of: str, facts: Facts) -> str:
        return texts.fill(section(template), of, language, _by_clock(zone, facts)).strip()

    title, body = filled("title", said.outside), filled("body", said.facts)
    return Written(title, body, filled("sms", said.outside) if short else None)


def _by_clock(zone: ZoneInfo, facts: Facts) -> dict[str, Any]:
    return {name: fact.astimezone(zone) if isinstance(fact, datetime) else fact for name, fact in facts.items()}
