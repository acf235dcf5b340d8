"""The events of messages: what was written to whom, and whether it arrived."""

from enum import StrEnum
from typing import Annotated, Any

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant, Private, Sealed


class Via(StrEnum):
    """The channels of a message."""

    INBOX = "inbox"
    SMS = "sms"
    EMAIL = "email"


class GivenUpBecause(StrEnum):
    """Why a channel is given up: it refused the message, it is too late, the recipient declined the channel, their
    phone takes no text messages, or it got as many today as one may get.
    """

    FAILED = "failed"
    EXPIRED = "expired"
    NOT_WANTED = "not_wanted"
    VOICE_ONLY = "voice_only"
    TOO_MANY = "too_many"


class MessageWritten(Event):
    """A message was written to somebody because of an event; these channels are to carry it until it expires.

    Where words of a case are ``quoted`` (by its id), body and text are sealed under its key as well, inside the
    recipient's: they are gone with either. ``text`` is the short form for phones; it can be a sign-in code, so it is
    not published.
    """

    person_id: Id
    template: Code
    language: Code
    title: Sealed
    body: Sealed
    about: Id | None = None
    quoted: Id | None = None
    because_of: Id
    happened_at: Instant
    urgent: bool
    channels: list[Via | str]
    phone: Sealed | None = None
    not_before: Instant | None = None
    covered: bool = False
    """Whether the short text stands for the body until the message is opened, and in mail."""
    text: Annotated[Sealed | None, Private] = None
    expires_at: Instant | None = None
    on_call: bool = False
    """Sent by every channel, also one that the recipient declined."""


class DeliveryMade(Event):
    """A channel's provider accepted a message."""

    channel: Via | str
    attempt: int


class DeliveryFailed(Event):
    """An attempt failed; the next is due at ``again_at``."""

    channel: Via | str
    attempt: int
    reason: Code
    again_at: Instant


class DeliveryHeld(Event):
    """It was due in quiet hours: the channel is tried when they end, at ``again_at``. Nothing was attempted."""

    channel: Via | str
    again_at: Instant


_TOO_LATE = ", then expired"


_REASONS: dict[str, tuple[GivenUpBecause, str | None]] = {
    "expired": (GivenUpBecause.EXPIRED, None),
    "not wanted": (GivenUpBecause.NOT_WANTED, None),
}
"""The reasons of `DeliveryGivenUp` in version 1, and what they are in version 2."""


class DeliveryGivenUp(Event):
    """A channel is given up; ``reason`` is its answer to the last attempt, if there was one."""

    schema_version = 2

    channel: Via | str
    attempt: int
    because: GivenUpBecause | str
    reason: Code | None = None

    @classmethod
    def upcast(cls, schema: int, data: dict[str, Any]) -> dict[str, Any]:
        """At first both stood in ``reason``: ``sms 503``, ``sms 503, then expired``, ``expired``, ``not wanted``."""
        because, said = _REASONS.get(data["reason"], (GivenUpBecause.FAILED, data["reason"]))
        if data["reason"].endswith(_TOO_LATE):
            because, said = GivenUpBecause.EXPIRED, data["reason"].removesuffix(_TOO_LATE)
        return {**data, "because": because, "reason": said}


class MessageRead(Event):
    """The recipient read a message."""
