"""Which reactions are on: one that this database has not met, in a group that already reads, starts off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.chassis.domain.values import now
from services.chassis.messaging.control import TopicPartition
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.telemetry import logs, metrics

log = logs.get()

COLLECTION = "reactions"
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Switch:
    """One reaction of a service, on or off."""

    name: str
    on: bool
    since: datetime
    reason: str
    begins: Mapping[TopicPartition, int]
    """From which offsets on it was on; what lies before them it was never to take."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """From the form in which it is stored."""
        begins = {(b["topic"], b["partition"]): b["offset"] for b in document.get("begins", ())}
        return cls(document["_id"], document["on"], document["since"], document.get("reason", ""), begins)


async def register(mongo: Mongo, reactions: Sequence[AnyReaction], *, group_reads: bool) -> None:
    """Note reactions that are new; one is on at once only where the group has not read anything yet.

    Its past would be missing otherwise, and a memory that starts in the middle must not claim the beginning.
    """
    for reaction in reactions:
        fresh = {"on": not group_reads, "since": now()}
        await mongo.update(COLLECTION, {"_id": reaction.name}, {"$setOnInsert": fresh}, upsert=True)


async def switches(mongo: Mongo) -> list[Switch]:
    """All that this database has met, by name."""
    return [Switch.of(d) for d in await mongo.find(COLLECTION, {}, sort=[("_id", 1)], limit=_MOST)]


async def that_are_on(mongo: Mongo, reactions: Sequence[AnyReaction]) -> list[AnyReaction]:
    """Those of ``reactions`` that are on."""
    on = {switch.name for switch in await switches(mongo) if switch.on}
    for reaction in reactions:
        metrics.reaction_on.labels(reaction.name).set(reaction.name in on)
        if reaction.name not in on:
            log.warning("a reaction is off", reaction=reaction.name)
    return [reaction for reaction in reactions if reaction.name in on]


async def start(mongo: Mongo, name: str, begins: Mapping[TopicPartition, int]) -> bool:
    """Turn a reaction on that is off; ``begins`` where its past was left out. False where it is on, or not known."""
    offsets = [{"topic": topic, "partition": number, "offset": at} for (topic, number), at in begins.items()]
    change = {"on": True, "since": now(), "reason": "", "begins": offsets}
    return await mongo.update(COLLECTION, {"_id": name, "on": False}, {"$set": change}) == 1


async def stop(mongo: Mongo, name: str, reason: str) -> bool:
    """Turn a reaction off; False where it is off already, or not known."""
    change = {"on": False, "since": now(), "reason": reason}
    return await mongo.update(COLLECTION, {"_id": name, "on": True}, {"$set": change}) == 1
