"""The parked events of all services, read from their databases and marked for replay or drop."""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson

from deploy.cli import sentences
from deploy.cli.groups import operator
from deploy.local import Stack, Trouble
from services.chassis.domain.values import now
from services.chassis.messaging import dropped
from services.chassis.messaging.parking import COLLECTION
from services.chassis.storage.mongo import Document, Mongo, Put, connect

_LOOK_SECONDS = 0.3
_REPLAY: Document = {"$set": {"replay": True}, "$unset": {"drop": ""}}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parked or dropped events; without a filter, all."""

    service: str = ""
    reaction: str = ""
    id: str = ""
    dropped: bool = False

    def where(self) -> Document:
        """As a condition on stored documents."""
        chosen = {"reaction": self.reaction, "_id": self.id}
        return {name: value for name, value in chosen.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """One parked or dropped event: ``drop`` says why and by whom."""

    service: str
    id: str
    reaction: str
    entity: str
    place: tuple[str, int, int]
    at: datetime
    reason: str
    replay: bool
    drop: dict[str, Any] | None
    headers: dict[str, str]
    value: bytes | None

    @classmethod
    def of(cls, service: str, document: Document) -> Self:
        """From the form in which it is stored."""
        return cls(
            service=service,
            id=document["_id"],
            reaction=document["reaction"],
            entity=document["entity"],
            place=(document["topic"], document["partition"], document["offset"]),
            at=document["at"],
            reason=document["reason"],
            replay=document.get("replay", False) and "drop" not in document,
            drop=document.get("drop") or document.get("dropped"),
            headers=document["headers"],
            value=None if document["bytes"] is None else bytes(document["bytes"]),
        )

    @property
    def waits_with(self) -> tuple[str, str, str]:
        """What it shares with the events that are replayed with it, in order."""
        return (self.service, self.reaction, self.entity)

    @property
    def asked(self) -> str:
        """What an operator has asked or done with it."""
        return "drop" if self.drop else "replay" if self.replay else ""

    @property
    def why(self) -> str:
        """The operator's reason, if there is one; else why the reaction failed."""
        return f"{self.drop['by']}: {self.drop['reason']}" if self.drop else self.explained

    @property
    def explained(self) -> str:
        """Why the reaction failed, with the sentence of the refusal if it was one."""
        return sentences.explained(self.service, self.reason)

    def document(self) -> dict[str, Any]:
        """As JSON; a JSON value is shown as JSON."""
        shown = {name: getattr(self, name) for name in ("service", "id", "reaction", "entity")}
        shown["topic"], shown["partition"], shown["offset"] = self.place
        shown |= {
            "at": self.at,
            "reason": self.reason,
            "explained": self.explained,
            "replay": self.replay,
            "drop": self.drop,
            "headers": self.headers,
        }
        return {**shown, "value": _readable(self.value)}


class Lots:
    """Where parked events are, by service."""

    def __init__(self, databases: dict[str, Mongo]) -> None:
        self._databases = databases

    @classmethod
    def of(cls, stack: Stack) -> Self:
        """The parked events of a stack, or of the databases in its settings."""
        return cls({service: connect(uri) for service, uri in stack.signed_in.items()})

    async def close(self) -> None:
        """Close the connections."""
        for mongo in self._databases.values():
            await mongo.close()

    async def find(self, wanted: Wanted) -> list[Found]:
        """The requested events, in the order of their topics; Trouble for an unknown service."""
        if wanted.service not in ("", *self._databases):
            raise Trouble(f"There is no service {wanted.service!r}: choose one of {', '.join(self._databases)}.")
        services = [wanted.service] if wanted.service else list(self._databases)
        name = dropped.COLLECTION if wanted.dropped else COLLECTION
        return [one for service in services for one in await self._read(service, wanted.where(), name)]

    async def with_followers(self, wanted: Wanted) -> list[Found]:
        """The requested events, with all others parked for the same reaction and entity."""
        return await self._beside(await self.find(wanted))

    async def replay(self, chosen: Sequence[Found], within: float, say: Callable[[int], None]) -> list[Found]:
        """Mark them for replay and wait, at most ``within`` seconds; returns what is still parked of their entities."""
        marked: set[tuple[str, str]] = set()
        left, give_up = list(chosen), time.monotonic() + within
        trying = {one.waits_with for one in chosen}
        while trying:
            # Including what was parked behind them meanwhile; none twice, so that a failing one is not retried for
            # ever.
            fresh = [one for one in left if one.waits_with in trying and (one.service, one.id) not in marked]
            await self._mark(fresh, _REPLAY)
            marked |= {(one.service, one.id) for one in left}
            await asyncio.sleep(_LOOK_SECONDS)
            left = await self._beside(chosen)
            trying = {one.waits_with for one in left if one.replay}
            say(len(left))
            if time.monotonic() > give_up:
                break
        return left

    async def mark(
        self, chosen: Sequence[Found], change: Document, within: float, say: Callable[[int], None]
    ) -> list[Found]:
        """Mark them for drop and wait, at most ``within`` seconds; returns those that are still parked."""
        await self._mark(chosen, change)
        ids, give_up = {(one.service, one.id) for one in chosen}, time.monotonic() + within
        while True:
            left = [one for one in await self._beside(chosen) if (one.service, one.id) in ids]
            say(len(left))
            if not left or time.monotonic() > give_up:
                return left
            await asyncio.sleep(_LOOK_SECONDS)

    async def _beside(self, chosen: Collection[Found]) -> list[Found]:
        """Everything that is parked of the entities of these events."""
        entities = {one.waits_with for one in chosen}
        services = sorted({one.service for one in chosen})
        return [one for service in services for one in await self._read(service, {}) if one.waits_with in entities]

    async def _mark(self, chosen: Collection[Found], change: Document) -> None:
        for service, mongo in self._databases.items():
            ids = [one.id for one in chosen if one.service == service]
            await mongo.bulk(COLLECTION, [Put({"_id": id}, change) for id in ids])

    async def _read(self, service: str, where: Document, name: str = COLLECTION) -> list[Found]:
        batches = self._databases[service].each(name, where)
        found = [Found.of(service, document) async for batch in batches for document in batch]
        return sorted(found, key=lambda one: one.place)


def drop_because(reason: str) -> Document:
    """The mark for an event to be dropped, with who asked for it and why."""
    return {"$set": {"replay": True, "drop": {"reason": reason, "by": operator(), "at": now()}}}


def _readable(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.decode(errors="replace")
