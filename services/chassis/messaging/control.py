"""The desired state of a consumer group: running or paused, from which offsets, with which reactions."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from services.chassis.domain.checks import TopicPartition
from services.chassis.domain.values import now
from services.chassis.messaging.switches import Switch, Switches
from services.chassis.storage.mongo import Document, Mongo

COLLECTION = "consumers"
RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"

_REPORT_SECONDS = 10.0
_SILENT = timedelta(seconds=60)  # longer than the broker waits for a member: after that it refuses the member's commits
_NEVER = -1


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The desired state of a group; ``order`` rises with each change."""

    state: str = RUNNING
    reason: str = ""
    by: str = ""
    at: datetime | None = None
    order: int = 0
    moves: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Partitions to continue from these offsets."""
    members: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)
    """The members: which order each follows, and when it last confirmed that."""
    topics: tuple[str, ...] = ()
    """What the group reads; none before its first member has begun."""
    switches: Switches = field(default_factory=dict)
    """The reactions that this group has met, by name."""

    @classmethod
    def of(cls, document: Document | None) -> Self:
        """From the form in which it is stored; a group of which nothing was asked runs."""
        known = document or {}
        return cls(
            state=known.get("state", RUNNING),
            reason=known.get("reason", ""),
            by=known.get("by", ""),
            at=known.get("at"),
            order=known.get("order", 0),
            moves={(m["topic"], m["partition"]): m["offset"] for m in known.get("moves", ())},
            members={name: (report["order"], report["at"]) for name, report in known.get("members", {}).items()},
            topics=tuple(known.get("topics", ())),
            switches={name: Switch.of(name, stored) for name, stored in sorted(known.get("reactions", {}).items())},
        )

    def waits_for(self) -> list[str]:
        """The live members that do not follow the latest order yet."""
        alive = {name: order for name, (order, at) in self.members.items() if at > now() - _SILENT}
        return sorted(name for name, order in alive.items() if order < self.order)


class ConsumerControl:
    """The member's side: it asks between two batches, and so confirms that it is processing none."""

    def __init__(self, mongo: Mongo, group: str, member: str) -> None:
        self._mongo, self.group, self.member = mongo, group, member
        self._desired = DesiredState()
        self._document: Document | None = None
        self._reported = _NEVER
        self._reported_at = float("-inf")

    async def ask(self) -> DesiredState:
        """The desired state, read from the database. Raises Unavailable."""
        if self._reported_at == float("-inf"):
            # before the first look: an operator who pauses from now on waits for this member
            await self._report(_NEVER)
        document, asked_at = await _stored(self._mongo, self.group), time.monotonic()
        if document != self._document:  # parsing all switches costs more than the query
            self._document, self._desired = document, DesiredState.of(document)
        if self._desired.order != self._reported or asked_at > self._reported_at + _REPORT_SECONDS:
            await self._report(self._desired.order)
        return self._desired

    async def note_topics(self, topics: Sequence[str]) -> None:
        """Let operators see which topics the group reads, also before it has confirmed anything."""
        await self._mongo.update(COLLECTION, {"_id": self.group}, {"$set": {"topics": sorted(topics)}}, upsert=True)

    async def moved(self, places: Sequence[TopicPartition]) -> None:
        """Record that these partitions are now read from the requested offsets."""
        gone = [{"topic": topic, "partition": partition} for topic, partition in places]
        await self._mongo.update(COLLECTION, {"_id": self.group}, {"$pull": {"moves": {"$or": gone}}})

    async def stop(self, reason: str) -> None:
        """Stop the whole group until an operator resumes it."""
        await _change(self._mongo, self.group, {"state": STOPPED, "reason": reason, "by": self.member}, {})

    async def leave(self) -> None:
        """Leave the group: operators no longer wait for this member."""
        await self._mongo.update(COLLECTION, {"_id": self.group}, {"$unset": {f"members.{self.member}": ""}})

    async def _report(self, order: int) -> None:
        report = {f"members.{self.member}": {"order": order, "at": now()}}
        await self._mongo.update(COLLECTION, {"_id": self.group}, {"$set": report}, upsert=True)
        self._reported, self._reported_at = order, time.monotonic()


async def desired_state(mongo: Mongo, group: str) -> DesiredState:
    """What is asked of a group."""
    return DesiredState.of(await _stored(mongo, group))


async def pause(mongo: Mongo, group: str, reason: str, by: str) -> bool:
    """Pause a running group; False if it is paused or stopped already."""
    paused = {"state": PAUSED, "reason": reason, "by": by}
    return await _change(mongo, group, paused, {"state": {"$nin": [PAUSED, STOPPED]}})


async def resume(mongo: Mongo, group: str, by: str, *, whose: str | None = None) -> bool:
    """Resume it; ``whose``: only if that operator paused it. False if it is running already."""
    paused: Document = {"state": {"$in": [PAUSED, STOPPED]}} | ({"by": whose} if whose else {})
    return await _change(mongo, group, {"state": RUNNING, "reason": "", "by": by}, paused)


async def move(mongo: Mongo, group: str, places: Mapping[TopicPartition, int], by: str) -> bool:
    """Ask a paused group to continue from these offsets; False if it is not paused."""
    moves = [{"topic": topic, "partition": number, "offset": at} for (topic, number), at in places.items()]
    return await _change(mongo, group, {"moves": moves, "moved_by": by}, {"state": {"$in": [PAUSED, STOPPED]}})


async def wait_for_members(mongo: Mongo, group: str, within: float) -> list[str]:
    """Wait until all live members follow and all moves are done; returns those that do not after ``within`` seconds."""
    give_up = time.monotonic() + within
    while True:
        desired = await desired_state(mongo, group)
        waiting = desired.waits_for() or [f"{topic}-{number}" for topic, number in sorted(desired.moves)]
        if not waiting or time.monotonic() > give_up:
            return waiting
        await asyncio.sleep(0.1)


@asynccontextmanager
async def paused(mongo: Mongo, group: str, reason: str, by: str, within: float) -> AsyncIterator[int]:
    """The group is paused as long as the block lasts and the order that it gives is the last one.

    TimeoutError if a member does not pause in time. A pause by somebody else lasts beyond the block.
    """
    try:
        await pause(mongo, group, reason, by)
        if waiting := await wait_for_members(mongo, group, within):
            raise TimeoutError(f"{', '.join(waiting)} did not pause within {within:g} s")
        yield (await desired_state(mongo, group)).order
    finally:
        await resume(mongo, group, by, whose=by)


async def _stored(mongo: Mongo, group: str) -> Document | None:
    return await mongo.find_one(COLLECTION, {"_id": group})


async def _change(mongo: Mongo, group: str, fields: Document, where: Document) -> bool:
    await mongo.update(COLLECTION, {"_id": group}, {"$setOnInsert": {"order": 0}}, upsert=True)
    change = {"$set": {**fields, "at": now()}, "$inc": {"order": 1}}
    return await mongo.update(COLLECTION, {"_id": group, **where}, change) == 1
