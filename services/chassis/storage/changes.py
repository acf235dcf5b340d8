"""Change streams that are read by explicit commands, many changes at a time."""

import time
from collections.abc import Sequence
from typing import Any

from services.chassis.storage.mongo import Document, Mongo

_READ_SECONDS = 10.0
"""A stream that was not read for longer is opened again; otherwise all changes since then would have to be read first.
"""
_WHOLE = "$cmd.aggregate"  # the namespace of a cursor over a whole database


class Changes:
    """Majority-committed changes of one collection, or of all.

    The drivers' own streams return one change per call, which costs as much for a thousand changes as a thousand
    queries.
    """

    def __init__(self, mongo: Mongo, session: Any, pipeline: Sequence[Document], collection: str | None = None) -> None:
        """``session`` of this database: all commands of one cursor must share it."""
        self._mongo = mongo
        self._session = session
        self._pipeline = pipeline
        self._collection = collection
        self._cursor = 0  # a BSON long: the server wants the same type back
        self._read = float("-inf")

    async def come(self, wait_ms: int) -> list[Document] | None:
        """The changes since the last call, or an empty list after ``wait_ms``. Raises Unavailable.

        None if the stream starts with this call: earlier changes are not reported, so the caller must query for them.
        """
        if not self._cursor or time.monotonic() > self._read + _READ_SECONDS:
            await self._open()
            return None
        place = self._collection or _WHOLE
        answer = await self._command("getMore", self._cursor, collection=place, maxTimeMS=wait_ms)
        found: list[Document] = self._follow(answer)["nextBatch"]
        return found

    async def _open(self) -> None:
        await self.close()
        level = {"level": "majority"}
        # From what a majority has now, or a write that this node has alone would be neither read nor reported.
        read = await self._command(
            "find", self._collection or "leases", limit=1, projection={"_id": 1}, readConcern=level
        )
        begin = {"$changeStream": {"startAtOperationTime": read["operationTime"]}}
        over, pipeline = self._collection or 1, [begin, *self._pipeline]
        self._follow(await self._command("aggregate", over, pipeline=pipeline, cursor={}, readConcern=level))

    async def close(self) -> None:
        """End the stream in the database. Raises Unavailable."""
        if self._cursor:
            await self._command("killCursors", self._collection or _WHOLE, cursors=[self._cursor])
            self._cursor = 0

    def _follow(self, answer: Document) -> Document:
        cursor: Document = answer["cursor"]
        self._cursor, self._read = cursor["id"], time.monotonic()
        return cursor

    async def _command(self, *command: Any, **options: Any) -> Document:
        return await self._mongo.command(*command, session=self._session, **options)
