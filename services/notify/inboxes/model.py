"""One document for each person: the number, order and ids of the latest messages, and how many are unread."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from services.chassis.domain.events import Event, Origin
from services.chassis.messaging.reactions import Write
from services.chassis.storage.mongo import Document, Put

COLLECTION = "inboxes"
KEPT = 200
"""So many lines are kept: from further back a stream cannot be resumed."""


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
    def of(cls, document: Document | None) -> Self:
        """From the document; empty where nothing was ever said to the person."""
        if document is None:
            return cls()
        return cls(document["sequence"], document["unread"], [Entry(**line) for line in document["lines"]])

    def after(self, last: int) -> Sequence[Entry]:
        """What came after number ``last``."""
        return [line for line in self.lines if line.sequence > last]

    def reaches(self, last: int) -> bool:
        """Whether everything after number ``last`` is still among the lines."""
        return last <= self.sequence and len(self.after(last)) == self.sequence - last


@dataclass(frozen=True, slots=True)
class Append:
    """A line for a new message, with the next number: an effect of the event that caused the message.

    It is written before the message (the consumer writes ``inboxes`` before ``messages``): whoever finds the message
    knows that the line was there, and until then the line itself is the guard against a repeat.
    """

    person: str
    message: str
    at: datetime

    def writes(self, origin: Origin) -> Sequence[Write]:
        """One upsert, by id alone so that the server itself repeats it when two make the document at once."""
        # Ids and times only, and even these literal: in a pipeline a text that begins with $ would be evaluated.
        message, at = {"$literal": self.message}, {"$literal": self.at}
        lines = {"$ifNull": ["$lines", []]}
        number = {"$add": [{"$ifNull": ["$sequence", 0]}, 1]}
        longer = {"$concatArrays": [lines, [{"sequence": number, "message": message, "at": at}]]}
        known = {"$in": [message, {"$ifNull": ["$lines.message", []]}]}
        change = {
            "sequence": _unless(known, "$sequence", number),
            "unread": _unless(known, "$unread", {"$add": [{"$ifNull": ["$unread", 0]}, 1]}),
            "lines": _unless(known, "$lines", {"$slice": [longer, -KEPT]}),
        }
        return [(COLLECTION, Put({"_id": self.person}, [{"$set": change}], upsert=True))]

    def recorded(self) -> Sequence[Event]:
        """An inbox has no history: it is made of the messages."""
        return ()


def _unless(known: Any, old: str, new: Any) -> dict[str, Any]:
    return {"$cond": [known, old, new]}


def marking(person: str, message: str) -> tuple[Document, Document]:
    """(filter, update) that count a message as read, once."""
    where = {"_id": person, "read": {"$ne": message}, "unread": {"$gt": 0}}
    return where, {"$inc": {"unread": -1}, "$push": {"read": {"$each": [message], "$slice": -KEPT}}}
