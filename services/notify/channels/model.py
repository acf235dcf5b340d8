"""What a channel is: something that takes a notice, or says why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.contracts.notify.messages import Via


@dataclass(frozen=True, slots=True, repr=False)
class Notice:
    """One message on its way out. ``key`` is the same however often it is tried; ``at`` is when its cause happened."""

    key: str
    at: datetime
    to: str
    title: str
    text: str


class NotTaken(Exception):
    """A channel did not take a notice. ``reason`` is a short code without personal data: it is logged and stored."""

    def __init__(self, reason: str, *, retry_after: timedelta = timedelta(0), for_good: bool = False) -> None:
        """``for_good``: trying again would change nothing."""
        super().__init__(reason)
        self.reason, self.retry_after, self.for_good = reason, retry_after, for_good


class Sender(Protocol):
    """A way out: a mail server, an SMS provider, a folder."""

    async def send(self, notice: Notice) -> None:
        """Hand it over; NotTaken where that fails. The same key twice must reach the recipient once, if it can."""


@dataclass(frozen=True)
class Senders:
    """Who carries what, as ``app.py`` chose by the settings."""

    by: Mapping[Via, Sender]
