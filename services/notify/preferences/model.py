"""The preferences of a recipient: channels, language, and quiet hours in the city's time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import ClassVar, Self
from zoneinfo import ZoneInfo

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Sealed, id_from
from services.chassis.domain.words import DEFAULT
from services.contracts.notify.messages import Via
from services.contracts.notify.preferences import LanguageKept, PreferencesSet

PreferencesEvent = PreferencesSet | LanguageKept


class AddressMissing(Refusal):
    kind = Kind.INVALID


class QuietHoursUnfit(Refusal):
    kind = Kind.INVALID


class LanguageUnknown(Refusal):
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily span in the city's time in which only urgent messages are sent; it may cross midnight."""

    start: time
    end: time

    def contains(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether they hold at an instant; the moment of their end is outside."""
        clock = at.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant from ``at`` on at which they do not hold."""
        if not self.contains(at, zone):
            return at
        local = at.astimezone(zone)
        end = datetime.combine(local.date(), self.end, zone)
        if self.end <= local.time():
            end = datetime.combine(local.date() + timedelta(days=1), self.end, zone)
        return end.astimezone(UTC)


class Preferences(Entity[PreferencesEvent]):
    """A person's choice; without one: the language of their first sign-in, and the channels that the rule intends."""

    entity_type: ClassVar[str] = "preferences"

    person_id: str
    channels: list[Via | str] | None = None
    language: str = DEFAULT
    quiet_from: str | None = None
    quiet_to: str | None = None
    email: Sealed | None = None

    @classmethod
    def collection(cls) -> str:
        """The collection of preferences; the plural is the same word."""
        return "preferences"

    @classmethod
    def untouched(cls, person: str) -> Self:
        """The preferences of a person who has not chosen."""
        return cls(id=preferences_id(person), person_id=person)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody sees their own."""
        return ALL if actor.has(SYSTEM) else Visible().where(cls.stored_name("person_id"), actor.person)

    def apply(self, event: PreferencesEvent) -> None:
        """Fold an event into the state."""
        self.person_id, self.language = event.person_id, event.language
        if isinstance(event, PreferencesSet):
            self.channels, self.email = event.channels, event.email
            self.quiet_from, self.quiet_to = event.quiet_from, event.quiet_to

    def subjects(self) -> tuple[str, ...]:
        """The person."""
        return (self.person_id,)

    def wants(self, via: Via) -> bool:
        """Whether the person has chosen this channel."""
        return self.channels is not None and via in self.channels

    def declines(self, via: Via) -> bool:
        """Whether the person has chosen, but not this channel."""
        return self.channels is not None and via not in self.channels

    def free_from(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant from ``at`` on that is outside their quiet hours."""
        if self.quiet_from is None or self.quiet_to is None:
            return at
        return QuietHours(time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_to)).after(at, zone)


@lru_cache(maxsize=10_000)
def preferences_id(person: str) -> str:
    """The id of a person's preferences: one set for each person."""
    return id_from(Preferences.entity_type, person)


def expect_language(language: str, languages: Collection[str]) -> None:
    """Refuse a language in which there are no texts."""
    if language not in languages:
        raise LanguageUnknown(language=language, languages=list(languages))


def keep_language(preferences: Preferences, person: str, language: str) -> None:
    """Keep the language of a first sign-in, unless the person has chosen meanwhile."""
    if preferences.version == 0:
        preferences.record(LanguageKept(person_id=person, language=language))


def choose(preferences: Preferences, chosen: PreferencesSet) -> None:
    """Set them; AddressMissing or QuietHoursUnfit if they make no sense."""
    if Via.EMAIL in chosen.channels and chosen.email is None:
        raise AddressMissing
    if (chosen.quiet_from is None) != (chosen.quiet_to is None):
        raise QuietHoursUnfit
    if chosen.quiet_from is not None and chosen.quiet_from == chosen.quiet_to:
        raise QuietHoursUnfit
    preferences.record(chosen)
