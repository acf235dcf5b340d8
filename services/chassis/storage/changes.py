"""What changes in a database, as a stream that is read by hand, many changes at a time."""

import time
from collections.abc import Sequence
from typing import Any

from services.chassis.storage.mongo import Document, Mongo

_READ_SECONDS = 10.0
"""A stream that was not read for longer is opened anew: all that passed meanwhile would have to be read first."""
_WHOLE = "$cmd.aggregate"  # where the cursor of a stream over a whole database belongs


class Changes:
    """Changes that are on a majority, of one collection or of all. The drivers' own streams give one at a time, which
    costs as much for a thousand as a thousand looks."""

    def __init__(self, mongo: Mongo, session: Any, pipeline: Sequence[Document], collection: str | None = None) -> None:
        """``session`` of this database: the commands of one cursor share it."""
        self._mongo = mongo
        self._session = session
        self._pipeline = [{"$changeStream": {}}, *pipeline]
        self._collection = collection
        self._cursor = 0  # as the server gave it, a long: so it wants it back
        self._read = float("-inf")

    async def come(self, wait_ms: int) -> list[Document] | None:
        """What has come since the last call, after ``wait_ms`` an empty list; Unavailable as every command.

        None where the stream begins with this call: what was written before is not heard of, and has to be looked for.
        """
        if not self._cursor or time.monotonic() > self._read + _READ_SECONDS:
            await self._open()
            return None
        place = self._collection or _WHOLE
        answer = await self._command("getMore", self._cursor, collection=place, maxTimeMS=wait_ms)
        found: list[Document] = self._follow(answer)["nextBatch"]
        return found

    async def _open(self) -> None:
        if self._cursor:
            await self._command("killCursors", self._collection or _WHOLE, cursors=[self._cursor])
        level = {"level": "majority"}
        over = self._collection or 1
        self._follow(await self._command("aggregate", over, pipeline=self._pipeline, cursor={}, readConcern=level))

    def _follow(self, answer: Document) -> Document:
        cursor: Document = answer["cursor"]
        self._cursor, self._read = cursor["id"], time.monotonic()
        return cursor

    async def _command(self, *command: Any, **options: Any) -> Document:
        return await self._mongo.command(*command, session=self._session, **options)
