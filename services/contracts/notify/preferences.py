"""The events of preferences."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Sealed
from services.contracts.notify.messages import Via


class LanguageKept(Event):
    """A person who has not chosen gets notices in the language in which they first signed in."""

    person_id: Id
    language: Code


class PreferencesSet(Event):
    """A person's preferences were replaced by these."""

    person_id: Id
    channels: list[Via | str]
    language: Code
    quiet_from: Code | None = None
    quiet_to: Code | None = None
    email: Sealed | None = None
