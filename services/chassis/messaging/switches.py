"""Which reactions are on: one that this database has not met, in a group that already reads, starts off."""

from collections.abc import Sequence

from services.chassis.domain.values import now
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.ops import logs, metrics
from services.chassis.storage.mongo import Mongo

log = logs.get()

COLLECTION = "reactions"


async def switched_on(mongo: Mongo, reactions: Sequence[AnyReaction], *, group_reads: bool) -> list[AnyReaction]:
    """Those of ``reactions`` that are on; a new one is on only where the group has not read anything yet.

    Its past would be missing otherwise, and a memory that starts in the middle must not claim the beginning.
    """
    names = [reaction.name for reaction in reactions]
    found = await mongo.find(COLLECTION, {"_id": {"$in": names}}, limit=max(1, len(names)))
    states = {document["_id"]: document["on"] for document in found}
    for name in names:
        if name not in states:
            states[name] = not group_reads
            await mongo.update(
                COLLECTION, {"_id": name}, {"$setOnInsert": {"on": states[name], "since": now()}}, upsert=True
            )
        metrics.reaction_on.labels(name).set(states[name])
        if not states[name]:
            log.warning("a new reaction is off until it is started", reaction=name)
    return [reaction for reaction in reactions if states[reaction.name]]
