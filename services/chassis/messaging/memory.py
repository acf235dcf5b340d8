"""The memory of reactions: for each entity, the version up to which a reaction has had its effects."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.effects import Done
from services.chassis.messaging.reactions import AnyReaction, Copying
from services.chassis.storage.mongo import Mongo, Put

COLLECTION = "seen"

Noted = tuple[AnyReaction, Done, datetime]
"""A reaction, events of which the effects are written, and when they were."""


class Memory:
    """What some reactions remember of the entities in one batch: one look-up and one write for all of them."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._seen: dict[str, int] = {}
        self._noted: list[Noted] = []
        self._saving = asyncio.Lock()

    async def load(self, wanted: Iterable[tuple[AnyReaction, Sequence[Delivered]]]) -> None:
        """Load what these reactions remember of the entities of these events."""
        ids = list({_id(one, event.entity) for one, events in wanted if one.remembers for event in events})
        found = await self._mongo.find(COLLECTION, {"_id": {"$in": ids}}, limit=len(ids)) if ids else []
        self._seen = {document["_id"]: document["version"] for document in found}

    def unseen(self, reaction: AnyReaction, events: Sequence[Delivered]) -> Sequence[Delivered]:
        """The events that the reaction has not handled yet; each once, even if it is among them twice."""
        if not reaction.remembers:
            return events
        fresh, seen = [], dict[str, int]()
        for event in events:
            # Within a batch, too: a relay that crashed sends the same event twice in a row.
            if event.version > max(self._seen.get(_id(reaction, event.entity), 0), seen.get(event.entity, 0)):
                seen[event.entity] = event.version
                fresh.append(event)
        return fresh

    def note(self, reaction: AnyReaction, done: Done, at: datetime) -> None:
        """The effects of these events were written at this time; ``save`` remembers it."""
        self._noted.append((reaction, done, at))

    async def save(self) -> Sequence[Noted]:
        """Write the versions that were noted, and return what was noted, each once.

        If the process dies before, the events come again, with the same effects.
        """
        async with self._saving:  # who parks an event waits for a write that another reaction has begun
            noted = tuple(self._noted)
            new = {
                _id(reaction, event.entity): event.version
                for reaction, done, _ in noted
                if reaction.remembers
                for event, _ in done
            }
            if new:
                await self._write(new)
            del self._noted[: len(noted)]
            return noted

    async def _write(self, new: Mapping[str, int]) -> None:
        await self._mongo.bulk(
            COLLECTION, [Put({"_id": id}, {"$max": {"version": version}}, upsert=True) for id, version in new.items()]
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
