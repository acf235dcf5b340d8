"""The memory of reactions: for each entity, the version up to which a reaction has had its effects."""

from collections.abc import Sequence

from services.chassis.messaging.reactions import AnyReaction, Copying, Delivered
from services.chassis.storage.mongo import Mongo, Put

COLLECTION = "seen"


async def unseen(mongo: Mongo, reaction: AnyReaction, wanted: Sequence[Delivered]) -> Sequence[Delivered]:
    """The events that the reaction has not handled yet; each once, even if it is in the batch twice."""
    if not reaction.remembers:
        return wanted
    ids = list({_id(reaction, event.entity) for event in wanted})
    found = await mongo.find(COLLECTION, {"_id": {"$in": ids}}, limit=len(ids))
    seen = {document["_id"]: document["version"] for document in found}
    fresh = []
    for event in wanted:
        # Within a batch, too: a relay that crashed sends the same event twice in a row.
        if event.version > seen.get(_id(reaction, event.entity), 0):
            seen[_id(reaction, event.entity)] = event.version
            fresh.append(event)
    return fresh


async def remember(mongo: Mongo, reaction: AnyReaction, events: Sequence[Delivered]) -> None:
    """Remember these events, after their effects."""
    if reaction.remembers:
        latest = {_id(reaction, event.entity): event.version for event in events}
        await mongo.bulk(
            COLLECTION, [Put({"_id": id}, {"$max": {"version": v}}, upsert=True) for id, v in latest.items()]
        )


async def reached(mongo: Mongo, reaction: AnyReaction, entity: str) -> int:
    """The version up to which a reaction has handled an entity, from its memory or from the copy itself; else 0."""
    name, id = COLLECTION, _id(reaction, entity)
    if isinstance(reaction, Copying):
        name, id = reaction.kind.collection(), entity
    found = await mongo.find_one(name, {"_id": id}, {"version": 1})
    return int(found["version"]) if found else 0


def _id(reaction: AnyReaction, entity: str) -> str:
    return f"{reaction.name}|{entity}"
