"""The bell: rings when something in a database is to be published, so that whoever waits for that need not poll."""

import time
from typing import Any

from services.chassis.storage.mongo import Document, Mongo

_HEARD_SECONDS = 10.0
"""A stream that was not read for longer is opened anew: all that passed meanwhile would have to be read first."""
_OURS = "$cmd.aggregate"  # where the cursor of a stream over a whole database belongs
_PENDING: Document = {
    "$or": [{"fullDocument.pending": {"$exists": True}}, {"updateDescription.updatedFields.pending": {"$exists": True}}]
}
_STREAM: list[Document] = [
    {"$changeStream": {}},
    {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, **_PENDING}},
    {"$project": {"_id": 1}},  # that it rang is all one wants to know
]


class Bell:
    """Hears of writes on a majority that leave something pending. Read by hand: the drivers' streams give one at a
    time, and a bell that rang a thousand times is to be heard once."""

    def __init__(self, mongo: Mongo, session: Any) -> None:
        """``session`` of this database: the commands of one cursor share it."""
        self._mongo = mongo
        self._session = session
        self._cursor = 0  # as the server gave it, a long: so it wants it back
        self._heard = float("-inf")

    async def rang(self, wait_ms: int) -> bool:
        """Whether it rang since the last call, or may have; waits so long for it. Unavailable as every command."""
        if not self._cursor or time.monotonic() > self._heard + _HEARD_SECONDS:
            await self._hang()
            return True  # what was written before is not heard of any more: look once
        answer = await self._command("getMore", self._cursor, collection=_OURS, maxTimeMS=wait_ms)
        return bool(self._follow(answer)["nextBatch"])

    async def _hang(self) -> None:
        if self._cursor:
            await self._command("killCursors", _OURS, cursors=[self._cursor])
        level = {"level": "majority"}
        self._follow(await self._command("aggregate", 1, pipeline=_STREAM, cursor={}, readConcern=level))

    def _follow(self, answer: Document) -> Document:
        cursor: Document = answer["cursor"]
        self._cursor, self._heard = cursor["id"], time.monotonic()
        return cursor

    async def _command(self, *command: Any, **options: Any) -> Document:
        return await self._mongo.command(*command, session=self._session, **options)
