"""A channel: accepts a notice, or says why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.contracts.notify.messages import Via


@dataclass(frozen=True, slots=True, repr=False)
class Notice:
    """One message to be sent. ``key`` is the same in every attempt; ``at`` is the time of its cause."""

    key: str
    at: datetime
    to: str
    title: str
    text: str


class SendFailed(Exception):
    """A channel did not accept a notice. ``reason`` is a short code without personal data: it is logged and stored."""

    def __init__(self, reason: str, *, retry_after: timedelta = timedelta(0), for_good: bool = False) -> None:
        """``for_good``: another attempt would not help."""
        super().__init__(reason)
        self.reason, self.retry_after, self.for_good = reason, retry_after, for_good


class Sender(Protocol):
    """A sender: a mail server, an SMS provider, a folder."""

    async def send(self, notice: Notice) -> None:
        """Send it; SendFailed if that fails. The same key twice must reach the recipient once, if possible."""


@dataclass(frozen=True)
class Senders:
    """The sender of each channel, as ``app.py`` chose by the settings."""

    by: Mapping[Via, Sender]
