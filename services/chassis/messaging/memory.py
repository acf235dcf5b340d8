"""The memory of reactions: for each entity, the version up to which a reaction has had its effects."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.effects import Done
from services.chassis.messaging.reactions import AnyReaction, Copying
from services.chassis.storage.mongo import Mongo, Put

COLLECTION = "seen"
_MOST_UNSAVED = 100
"""This many versions, or reports, are worth a write of their own."""

Noted = tuple[AnyReaction, Done, datetime]
"""A reaction, events of which the effects are written, and when they were."""
Wanted = Iterable[tuple[AnyReaction, Sequence[Delivered]]]


class Known:
    """What some reactions remembered of the entities of one batch before it."""

    def __init__(self, versions: Mapping[str, int]) -> None:
        self._versions = versions

    def unseen(self, reaction: AnyReaction, events: Sequence[Delivered]) -> Sequence[Delivered]:
        """The events that the reaction has not handled yet; each once, even if it is among them twice."""
        if not reaction.remembers:
            return events
        fresh, seen = [], dict[str, int]()
        for event in events:
            # Within a batch, too: a relay that crashed sends the same event twice in a row.
            if event.version > max(self._versions.get(_id(reaction, event.entity), 0), seen.get(event.entity, 0)):
                seen[event.entity] = event.version
                fresh.append(event)
        return fresh


class Memory:
    """What the reactions of a process remember: what is noted here, and before that what is stored.

    It is saved before records are confirmed or an event is parked, for many batches at once. If the process dies
    before, the events come again, with the same effects.
    """

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._unsaved: dict[str, int] = {}
        self._noted: list[Noted] = []
        self._saving = asyncio.Lock()

    async def load(self, wanted: Wanted) -> Known:
        """What these reactions remember of the entities of these events. Raises Unavailable."""
        ids = {_id(one, event.entity) for one, events in wanted if one.remembers for event in events}
        # First what is not saved yet: what is saved meanwhile may be missing in what is found.
        unsaved = {id: self._unsaved.get(id, 0) for id in ids}
        found = await self._mongo.by_ids(COLLECTION, ids)
        return Known(unsaved | {id: max(one["version"], unsaved[id]) for id, one in found.items()})

    def note(self, reaction: AnyReaction, done: Done, at: datetime) -> None:
        """The effects of these events were written at this time; ``save`` remembers it."""
        self._noted.append((reaction, done, at))
        if reaction.remembers:
            for event, _ in done:
                id = _id(reaction, event.entity)
                self._unsaved[id] = max(event.version, self._unsaved.get(id, 0))

    def is_full(self) -> bool:
        """Whether so much is noted that it should be saved."""
        return max(len(self._unsaved), len(self._noted)) >= _MOST_UNSAVED

    async def save(self) -> Sequence[Noted]:
        """Write the versions that were noted, and return what was noted, each once. Raises Unavailable."""
        async with self._saving:  # who parks an event waits for a write that another reaction has begun
            noted, new = tuple(self._noted), dict(self._unsaved)
            if new:
                await self._write(new)
            del self._noted[: len(noted)]
            for id, version in new.items():
                if self._unsaved[id] == version:  # otherwise a later one was noted meanwhile
                    del self._unsaved[id]
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
