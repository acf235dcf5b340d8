"""Sends keys: each before the first event that needs it, and a tombstone once it is deleted."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.values import EVER
from services.chassis.messaging.kafka import BrokerAway, Outgoing, Publisher
from services.chassis.storage import search, vault
from services.chassis.storage.mongo import Document, Mongo, Put

Kinds = Sequence[type[Entity[Any]]]

_BATCH = 500


class KeySender:
    """Sends the keys of a service: those of people, in their collection, and those that entities have of their own."""

    def __init__(
        self, mongo: Mongo, publisher: Publisher, topic: str | None, *, mints: bool, kinds: Kinds = ()
    ) -> None:
        """``mints``: whether the collection of keys holds any that were made here; without it no round reads it.

        ``kinds``: of these the blind tokens of a person go before it is sent that the person's key is gone.
        """
        self._kinds = kinds
        self._mongo = mongo
        self._publisher = publisher
        self._topic = topic
        self._mints = mints

    async def send_collection(self) -> int:
        """Send all keys of the collection that are not sent yet; how many. BrokerAway."""
        moved, more = 0, True
        while more and self._topic is not None and self._mints:
            pending = {"pending": {"$gte": EVER}}
            keys = await self._mongo.find(vault.COLLECTION, pending, sort=[("pending", 1)], limit=_BATCH)
            await search.forget(self._mongo, self._kinds, [key["_id"] for key in keys if key["wrapped"] is None])
            await self._send({key["_id"]: key["wrapped"] for key in keys})
            await self._mongo.bulk(vault.COLLECTION, [_sent(key) for key in keys])
            moved, more = moved + len(keys), len(keys) == _BATCH
        return moved

    async def send_own(self, documents: Sequence[Document]) -> None:
        """Send the keys that these documents hold and that are not sent yet; ``mark`` notes it. BrokerAway."""
        await self._send({document["_id"]: document["key"]["wrapped"] for document in documents if key_waits(document)})

    async def send_again(self, name: str, keys: Mapping[str, bytes | None]) -> None:
        """Send keys that documents of one collection held when they were read, whether or not they were sent before.

        One that was forgotten meanwhile is left to the relay, so that its end is what the topic holds last. BrokerAway.
        """
        await self._send(keys)
        await self._mongo.bulk(name, [_left_to_relay(id, wrapped) for id, wrapped in keys.items()])

    async def _send(self, keys: Mapping[str, bytes | None]) -> None:
        if keys and self._topic is not None:
            records = [Outgoing(self._topic, subject, wrapped, {}) for subject, wrapped in keys.items()]
            if any(await self._publisher.send(records)):
                raise BrokerAway("a key was not acknowledged")


def key_waits(document: Document) -> bool:
    """Whether an entity's own key is still to be sent."""
    return bool(document.get("key", {}).get("pending"))


def marking(document: Document, version: int) -> Put:
    """Note up to which version an entity is published, and with it that its own key is sent."""
    # A write since the read keeps the document pending; unsetting without this check would lose its event.
    done: Document = {"$lte": ["$version", version]}
    published: Document = {"published": {"$max": ["$published", version]}}
    if not key_waits(document):
        return _put(document, {**published, "pending": {"$cond": [done, "$$REMOVE", "$pending"]}})
    # Another relay may have sent the new key before our old one: the new one goes out again, also without an event.
    unchanged, waiting = _unchanged("$key.wrapped", document["key"]["wrapped"]), {"$ifNull": ["$pending", "$$NOW"]}
    pending = {"$cond": [{"$and": [done, unchanged]}, "$$REMOVE", waiting]}
    return _put(document, {**published, "pending": pending, "key.pending": {"$cond": [unchanged, "$$REMOVE", True]}})


def _left_to_relay(id: str, wrapped: bytes | None) -> Put:
    change = {"key.pending": True, "pending": {"$ifNull": ["$pending", "$$NOW"]}}
    return Put({"_id": id, "key.wrapped": {"$ne": wrapped}}, [{"$set": change}])


def _sent(key: Document) -> Put:
    # If it changed since it was read, another relay may have sent the new key before our old one: it is sent again.
    unchanged = _unchanged("$wrapped", key["wrapped"])
    return _put(key, {"pending": {"$cond": [unchanged, "$$REMOVE", "$$NOW"]}})


def _put(document: Document, change: Document) -> Put:
    return Put({"_id": document["_id"]}, [{"$set": change}])


def _unchanged(field: str, value: bytes | None) -> Document:
    return {"$eq": [field, {"$literal": value}]}
