"""Templates: the texts of notices, whose placeholders are filled by facts in the language of the recipient."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.chassis.domain.texts import Texts
from services.chassis.domain.words import Words
from services.contracts.notify.messages import Via

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


def write(texts: Texts, zone: ZoneInfo, template: str, language: str, facts: Facts, via: Collection[Via]) -> Written:
    """Fill the placeholders, instants by the clock of ``zone``; KeyError without a fact of that name or such a text."""
    shown: dict[str, Any] = {
        name: fact.astimezone(zone) if isinstance(fact, datetime) else fact for name, fact in facts.items()
    }

    def filled(of: str) -> str:
        return texts.fill(section(template), of, language, shown).strip()

    return Written(filled("title"), filled("body"), filled("sms") if Via.SMS in via else None)
