"""Counters of what happened lately: the database forgets each by itself. Their names say of nobody who they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.storage.claims import Conflict
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Mongo

COLLECTION = "counters"
FIELD = "until"
"""When a counter is forgotten."""


@dataclass(frozen=True)
class Lately:
    """When something happened, oldest first, by the cause of each; ``number`` tells whether it was noted meanwhile."""

    number: int
    times: Mapping[str, datetime]


class Counters:
    """The counters of one service. Every change is one write, so that of two at once both count."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def up(self, name: str, until: datetime) -> int:
        """Count one more; how many there are by now."""
        more = {"$inc": {"number": 1}}
        try:
            await self._mongo.update(COLLECTION, {"_id": name}, {**more, "$setOnInsert": {FIELD: until}}, upsert=True)
        except Duplicate:  # another has begun it at this moment
            await self._mongo.update(COLLECTION, {"_id": name}, more)
        return await self.number(name)

    async def number(self, name: str) -> int:
        """How many were counted."""
        found = await self._mongo.find_one(COLLECTION, {"_id": name})
        return int(found["number"]) if found else 0

    async def among(self, name: str, key: str, most: int, until: datetime) -> bool:
        """Whether this key is among the first ``most`` of a counter: then it stays so, however often it is asked."""
        room: dict[str, Any] = {"_id": name, "$or": [{"keys": key}, {f"keys.{most - 1}": {"$exists": False}}]}
        put = {"$addToSet": {"keys": key}, "$setOnInsert": {FIELD: until}}
        try:
            known = await self._mongo.update_batched(COLLECTION, room, put, upsert=True)
        except Duplicate:  # it is full, or another has begun it at this moment
            known = None
        if known is None:
            return await self._mongo.update(COLLECTION, room, put) == 1
        return known

    async def forget(self, name: str) -> None:
        """Forget a counter before its time."""
        await self._mongo.delete(COLLECTION, {"_id": name})

    async def lately(self, name: str, since: datetime) -> Lately:
        """What was noted under a name since then."""
        found = await self._mongo.find_one(COLLECTION, {"_id": name}) or {}
        times = {key: at for key, at in found.get("times", {}).items() if at > since}
        return Lately(int(found.get("number", 0)), dict(sorted(times.items(), key=lambda one: one[1])))

    async def note(self, name: str, before: Lately, key: str, at: datetime, until: datetime) -> None:
        """Note one more; Conflict where another was noted since ``before`` was read."""
        fresh = {"number": before.number + 1, "times": {**before.times, key: at}, FIELD: until}
        where = {"_id": name, "number": before.number}
        try:
            noted = await self._mongo.update(COLLECTION, where, {"$set": fresh}, upsert=before.number == 0)
        except Duplicate:
            noted = 0
        if not noted:
            raise Conflict
