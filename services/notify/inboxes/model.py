"""One document for each person: the number, order and ids of the latest messages, and how many are unread.

And the subscribers: the live streams of this process that wait for changes of an inbox.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from services.chassis.domain.refusals import Busy, Kind, Refusal

COLLECTION = "inboxes"
KEPT = 200
"""Lines kept for each person: from further back a stream cannot be resumed."""
LATE = timedelta(minutes=1)
"""A line this old without its message was left by a crash: the repeat of its event writes it again."""
LOST = timedelta(minutes=10)
"""A line that old without its message is passed over. Far more than LATE: who writes must have seen that it is late."""
MOST, MOST_EACH = 3_000, 10
"""Streams in one process, and of one person; each occupies a connection from the gateway all the time."""


class TooManyStreams(Refusal):
    kind = Kind.TOO_MANY


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: the message that got this number."""

    sequence: int
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Inbox:
    """What stands in a person's document."""

    sequence: int = 0
    unread: int = 0
    lines: Sequence[Entry] = field(default=())

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Self:
        """From the document; empty where nothing was ever said to the person."""
        if document is None:
            return cls()
        lines = [Entry(line["sequence"], line["message"], line["at"]) for line in document["lines"]]
        return cls(document["sequence"], document["unread"], lines)

    def after(self, last: int) -> Sequence[Entry]:
        """What came after number ``last``."""
        return [line for line in self.lines if line.sequence > last]

    def reaches(self, last: int) -> bool:
        """Whether everything after number ``last`` is still there; a line that was written again is further on."""
        oldest = self.lines[0].sequence if self.lines else self.sequence + 1
        return oldest - 1 <= last <= self.sequence


def marking(person: str, message: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(filter, update) that count a message as read, once."""
    where = {"_id": person, "read": {"$ne": message}, "unread": {"$gt": 0}}
    return where, {"$inc": {"unread": -1}, "$push": {"read": {"$each": [message], "$slice": -KEPT}}}


class InboxSubscribers:
    """One signal for each stream that waits. Several changes set it once and cause one read: nothing piles up."""

    def __init__(self, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._count = 0
        self._signals: dict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def count(self) -> int:
        """How many streams wait."""
        return self._count

    def expect_room(self, person: str) -> None:
        """TooManyStreams where a person has the most streams already, Busy where the process has."""
        if len(self._signals.get(person, ())) >= self._most_each:
            raise TooManyStreams(most=self._most_each, retry_after=30)
        if self._count >= self._most:
            raise Busy(retry_after=5)

    @contextmanager
    def subscribed(self, person: str) -> Iterator[asyncio.Event]:
        """A signal that is set when a person's inbox changes, until the block ends."""
        signal = asyncio.Event()
        self._signals[person].add(signal)
        self._count += 1
        try:
            yield signal
        finally:
            self._count -= 1
            self._signals[person].discard(signal)
            if not self._signals[person]:
                del self._signals[person]

    def notify(self, person: str) -> None:
        """Something changed in this inbox."""
        for signal in self._signals.get(person, ()):
            signal.set()

    def notify_all(self) -> None:
        """Something may have changed in any inbox."""
        for person in self._signals:
            self.notify(person)
