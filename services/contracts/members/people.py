"""The events of people."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant, Sealed


class PersonRegistered(Event):
    """A person became known: by a first sign-in, at a counter, on the hotline, or as staff."""

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: Code | None = None
    voice_only: bool = False
    """Whether the phone takes no text messages: such people are called, or read the page of their case."""


class ProfileChanged(Event):
    """A person's profile was replaced by this; by staff, for a ``reason``, where it was not the person."""

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: Code | None = None
    voice_only: bool = False
    reason: Sealed | None = None


class PhoneChanged(Event):
    """A person got another number, or has none any more.

    ``phone`` is the one before, to which a text message goes until ``expires_at``; left out where it takes none.
    """

    person_id: Id
    phone: Sealed | None = None
    expires_at: Instant
