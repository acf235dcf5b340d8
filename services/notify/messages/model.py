"""A message to one person, and the deliveries of its channels."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, assert_never

from pydantic import BaseModel

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Instant, Sealed
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    GivenUpBecause,
    MessageRead,
    MessageWritten,
    Via,
)
from services.notify.channels.model import SendFailed

MessageEvent = MessageWritten | DeliveryMade | DeliveryFailed | DeliveryHeld | DeliveryGivenUp | MessageRead

MAX_AGE = timedelta(hours=24)
"""Older events reach the inbox only, never a phone or mailbox: no replay can flood a city."""


class DeliveryState(StrEnum):
    """The state of a channel."""

    WAITING = "waiting"
    MADE = "made"
    GIVEN_UP = "given_up"


class Delivery(BaseModel):
    """The part of one channel in a message. ``reason`` is its last answer, ``because`` why it was given up."""

    state: DeliveryState = DeliveryState.WAITING
    attempt: int = 0
    because: GivenUpBecause | str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Backoff:
    """The pauses after failed attempts; there is one attempt more than there are pauses."""

    pauses: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=1),
        timedelta(hours=1),
    )

    def after(self, attempt: int) -> timedelta | None:
        """The pause after this attempt, counted from 1; None after the last."""
        return self.pauses[attempt - 1] if attempt <= len(self.pauses) else None


@dataclass(frozen=True)
class TextBudget:
    """How many text messages one number gets in a day of the city. Urgent ones have room of their own."""

    ordinary: int
    urgent: int

    def of(self, message: "Message") -> int:
        """How many of its sort."""
        return self.urgent if message.urgent else self.ordinary


class Message(Entity[MessageEvent]):
    """A notice to one person because of one event; its text is sealed under that person's key."""

    entity_type: ClassVar[str] = "message"
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(("next_urgent_sms_at",), sparse=True),
        Index(("next_sms_at",), sparse=True),
        Index(("next_email_at",), sparse=True),
    )

    person_id: str
    inbox_of: str | None
    """The person, if the message is in their inbox."""
    template: str
    language: str
    title: Sealed
    body: Sealed
    covered: bool = False
    """Whether the short text stands for the body until the message is opened, and in mail."""
    text: Sealed | None
    phone: Sealed | None
    about: str | None
    quoted: str | None = None
    """The case whose words body and text repeat: they are sealed under its key too, inside the recipient's."""
    because_of: str
    happened_at: Instant
    expires_at: Instant
    urgent: bool
    on_call: bool = False
    """Sent by every channel, also one that the recipient declined."""
    read: bool
    deliveries: dict[str, Delivery]
    next_urgent_sms_at: Instant | None = None
    """Instead of the next field, so that a code that is valid for minutes does not wait behind other messages."""
    next_sms_at: Instant | None
    next_email_at: Instant | None

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody sees their own inbox."""
        return ALL if actor.has(SYSTEM) else Visible().where(cls.stored_name("inbox_of"), actor.person)

    def apply(self, event: MessageEvent) -> None:
        """Fold an event into the state."""
        match event:
            case MessageWritten():
                self._write(event)
            case DeliveryMade():
                self._settle(event.channel, Delivery(state=DeliveryState.MADE, attempt=event.attempt))
            case DeliveryFailed():
                self._settle(event.channel, Delivery(attempt=event.attempt, reason=event.reason), event.again_at)
            case DeliveryHeld():
                self._plan(event.channel, event.again_at)
            case DeliveryGivenUp():
                self._settle(event.channel, _given_up(event))
            case MessageRead():
                self.read = True
            case _:
                assert_never(event)

    def subjects(self) -> tuple[str, ...]:
        """The recipient."""
        return (self.person_id,)

    def key_subjects(self) -> tuple[str, ...]:
        """The recipient, and inside that the case whose words it quotes."""
        return (self.person_id,) if self.quoted is None else (self.person_id, self.quoted)

    def next_at(self, via: Via) -> datetime | None:
        """When a channel is due; None if it is done or was never intended."""
        return {Via.SMS: self.next_urgent_sms_at or self.next_sms_at, Via.EMAIL: self.next_email_at}.get(via)

    @property
    def is_covered(self) -> bool:
        """Whether its short text stands for it now."""
        return self.covered and not self.read

    def key(self, via: Via) -> str:
        """The stable key of (event, recipient, channel); the message's id is made from the first two."""
        return f"{self.id}:{via}"

    def _write(self, event: MessageWritten) -> None:
        self.person_id, self.template, self.language = event.person_id, event.template, event.language
        self.title, self.body, self.text, self.phone = event.title, event.body, event.text, event.phone
        self.about, self.because_of, self.urgent, self.read = event.about, event.because_of, event.urgent, False
        self.quoted, self.covered, self.on_call = event.quoted, event.covered, event.on_call
        self.happened_at, self.expires_at = event.happened_at, event.expires_at or event.happened_at + MAX_AGE
        self.inbox_of = event.person_id if Via.INBOX in event.channels else None
        self.deliveries = {str(via): Delivery() for via in event.channels if via != Via.INBOX}
        self.next_urgent_sms_at = self.next_sms_at = self.next_email_at = None
        for via in self.deliveries:
            self._plan(via, event.not_before or event.happened_at)

    def _settle(self, via: str, delivery: Delivery, again_at: datetime | None = None) -> None:
        self.deliveries = {**self.deliveries, str(via): delivery}
        self._plan(via, again_at)
        if self.next_at(Via.SMS) is None:  # do not keep a code when it is of no more use
            self.text, self.phone = (self.text if self.covered else None), None

    def _plan(self, via: str, at: datetime | None) -> None:
        if via == Via.SMS:
            self.next_urgent_sms_at, self.next_sms_at = (at, None) if self.urgent else (None, at)
        elif via == Via.EMAIL:
            self.next_email_at = at


def _given_up(event: DeliveryGivenUp) -> Delivery:
    return Delivery(state=DeliveryState.GIVEN_UP, attempt=event.attempt, because=event.because, reason=event.reason)


def made(message: Message, via: Via) -> None:
    """A channel accepted it."""
    message.record(DeliveryMade(channel=via, attempt=message.deliveries[via].attempt + 1))


def failed(
    message: Message,
    via: Via,
    failure: SendFailed,
    at: datetime,
    backoff: Backoff,
    allowed_from: Callable[[datetime], datetime],
) -> None:
    """A channel did not accept it: retry after a pause, or give up if that is useless or too late.

    ``allowed_from`` moves a time to the first at which this recipient may be disturbed.
    """
    attempt = message.deliveries[via].attempt + 1
    pause = None if failure.for_good else backoff.after(attempt)
    if pause is None:
        _give_up(message, via, attempt, GivenUpBecause.FAILED, failure.reason)
        return
    again = allowed_from(at + max(pause, failure.retry_after))
    if again >= message.expires_at:
        _give_up(message, via, attempt, GivenUpBecause.EXPIRED, failure.reason)
    else:
        message.record(DeliveryFailed(channel=via, attempt=attempt, reason=failure.reason, again_at=again))


def held(message: Message, via: Via, until: datetime) -> None:
    """It falls into quiet hours that did not hold when it was planned."""
    message.record(DeliveryHeld(channel=via, again_at=until))


def given_up(message: Message, via: Via, because: GivenUpBecause) -> None:
    """It is not tried again, although nothing failed."""
    _give_up(message, via, message.deliveries[via].attempt, because, None)


def _give_up(message: Message, via: Via, attempt: int, because: GivenUpBecause, said: str | None) -> None:
    message.record(DeliveryGivenUp(channel=via, attempt=attempt, because=because, reason=said))


def read(message: Message) -> None:
    """The recipient read it; a repeat changes nothing."""
    if not message.read:
        message.record(MessageRead())
