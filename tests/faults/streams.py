"""Faults of change streams, by which relays, timers, consumers and those who hold reference data hear of changes."""

import asyncio
from typing import Any

from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from tests.faults.trial import Fault, Trial
from tests.support import operators

_PAUSE = 0.3
_LOOKED: list[dict[str, Any]] = [
    {"$currentOp": {"allUsers": True, "idleCursors": True}},
    {"$match": {"cursor.tailable": True, "ns": {"$regex": "^linli_"}}},
    {"$project": {"ns": 1, "cursor": "$cursor.cursorId"}},
]


async def streams_cut(trial: Trial) -> str:
    """Every change stream of every service is cut, again and again, while the load goes on."""
    loop, cut = asyncio.get_running_loop(), 0
    until = loop.time() + trial.seconds(6, 12)
    while loop.time() < until:
        cut += sum(
            await asyncio.gather(*(asyncio.to_thread(_cut, uri) for uri in operators.uris(trial.stack).values()))
        )
        await asyncio.sleep(_PAUSE)
    await trial.load.flows(20)
    return f"{cut} streams cut"


def _cut(uri: str) -> int:
    """End the cursors of the streams of one database; how many."""
    with MongoClient[dict[str, Any]](uri) as client:
        admin = client.get_database("admin", read_concern=ReadConcern())  # what is going on has no majority
        found = list(admin.aggregate(_LOOKED))
        for one in found:
            database, _, collection = one["ns"].partition(".")
            client[database].command("killCursors", collection, cursors=[one["cursor"]])
        return len(found)


FAULTS = (Fault("streams-cut", "change streams cut again and again", streams_cut),)
