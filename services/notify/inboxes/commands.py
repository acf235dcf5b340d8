"""What can be done with an inbox."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.domain.events import Event, Origin
from services.chassis.guards import changes, visible
from services.chassis.messaging.reactions import Write
from services.chassis.storage.mongo import Put
from services.chassis.usecase import Context
from services.notify.audience.model import SIGNED_IN
from services.notify.inboxes.model import COLLECTION, KEPT, LATE, marking
from services.notify.messages import model
from services.notify.messages.model import Message


@changes(Message, by="id", allow=SIGNED_IN, within=visible)
async def read_message(ctx: Context, message: Message) -> None:
    """Note that you have read a message."""
    if not message.read:
        # Before the write: after a crash in between, a repeat finds the message unread, and this counts only once.
        await ctx.container.mongo.update(COLLECTION, *marking(message.person_id, message.id))
    model.read(message)


@dataclass(frozen=True, slots=True)
class Append:
    """A line for a new message, with the next number: an effect of the event that caused the message.

    A reaction returns it before the message, so it is written first: where the message is found, the line was there,
    and until then the line itself is the guard against a repeat. A line whose message is late moves to the next
    number, where streams that have passed it over find it.
    """

    person: str
    message: str
    at: datetime

    @property
    def target(self) -> Hashable:
        """The line of this message."""
        return self.person, self.message

    def writes(self, origin: Origin) -> Sequence[Write]:
        """One upsert, by id alone so that the server itself repeats it when two make the document at once."""
        # Ids and times only, and even these literal: in a pipeline a text that begins with $ would be evaluated.
        message, at = {"$literal": self.message}, {"$literal": self.at}
        others = {"$filter": {"input": _LINES, "cond": {"$ne": ["$$this.message", message]}}}
        longer = {"$concatArrays": [others, [{"sequence": _NUMBER, "message": message, "at": at}]]}
        young = {"$filter": {"input": _LINES, "cond": {"$gt": ["$$this.at", {"$literal": self.at - LATE}]}}}
        waited_for = {"$in": [message, {"$map": {"input": young, "in": "$$this.message"}}]}
        change = {
            "sequence": _unless(waited_for, "$sequence", _NUMBER),
            "unread": _unless({"$in": [message, _KNOWN]}, "$unread", _ONE_MORE_UNREAD),
            "lines": _unless(waited_for, "$lines", {"$slice": [longer, -KEPT]}),
        }
        return [(COLLECTION, Put({"_id": self.person}, [{"$set": change}], upsert=True))]

    def recorded(self) -> Sequence[Event]:
        """An inbox has no history: it is made of the messages."""
        return ()


_LINES = {"$ifNull": ["$lines", []]}
_KNOWN = {"$ifNull": ["$lines.message", []]}
_NUMBER = {"$add": [{"$ifNull": ["$sequence", 0]}, 1]}
_ONE_MORE_UNREAD = {"$add": [{"$ifNull": ["$unread", 0]}, 1]}


def _unless(known: Any, old: str, new: Any) -> dict[str, Any]:
    return {"$cond": [known, old, new]}
