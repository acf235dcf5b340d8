"""An entity as its document: state, history, and the key of its own."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from services.chassis.domain.entity import Entity, Stored
from services.chassis.domain.events import Origin, Recorded, newer_shapes
from services.chassis.storage.mongo import Document, Mongo

S = TypeVar("S", bound=Stored)


def load(kind: type[S], document: Document) -> S:
    """The object that a document holds, with the key of its own."""
    found = kind.model_validate({**document["state"], "id": document["_id"], "version": document["version"]})
    if isinstance(found, Entity):
        found.set_key(wrapped_key(document))
    return found


def recorded(entity: Entity[Any], origin: Origin, previous: str, refused: Document | None = None) -> list[Document]:
    """The fresh events of an entity in their stored form, chained to ``previous``."""
    history: list[Document] = []
    for version, event in enumerate(entity.fresh, start=entity.version + 1):
        entry = Recorded.of(event, entity.id, version, origin, previous, refused)
        history.append(entry.document())
        previous = entry.hash
    return history


def draft(entity: Entity[Any], origin: Origin, refused: Document | None = None) -> Document:
    """The first document of a new entity; ValidationError if a field was never set."""
    history, state = recorded(entity, origin, "", refused), entity.as_stored()
    entity.model_validate({**state, "id": entity.id, "version": entity.version})
    return {
        "_id": entity.id,
        "version": len(history),
        "published": 0,
        "pending": origin.at,
        "archived": 0,
        "under": list(entity.places()),
        "hash": history[-1]["hash"],
        "state": state,
        "history": history,
        **({"shapes": shapes} if (shapes := newer_shapes(history)) else {}),
        **({"key": {"wrapped": entity.wrapped_key, "pending": True}} if entity.own_key else {}),
    }


def changing(entity: Entity[Any], origin: Origin, before: Document, refused: Document | None = None) -> Document:
    """The update that takes the fresh events of an entity into its document as it was read before."""
    history = recorded(entity, origin, before["hash"], refused)
    head = {
        "version": history[-1]["version"],
        "hash": history[-1]["hash"],
        "under": list(entity.places()),
        **({"key": {"wrapped": None, "pending": True}} if forgets(entity, before) else {}),
    }
    return {
        "$set": {**differing_fields(entity, before["state"]), **head},
        "$min": {"pending": origin.at},
        "$push": {"history": {"$each": history}},
        "$max": {f"shapes.{name}": schema for name, schema in newer_shapes(history).items()},
    }


async def matched(mongo: Mongo, name: str, where: Document, change: Document, sharded: Collection[str]) -> bool:
    """Make the update of ``changing``; whether it matched. Duplicate, Unavailable, DatabaseRefused.

    Concurrent updates share a round trip, but not in a sharded collection, where one may count for several shards.
    """
    if name in sharded:
        return await mongo.update(name, where, change) == 1
    found = await mongo.update_batched(name, where, change)
    if found is None:
        ours = {"_id": where["_id"], "history.hash": change["$set"]["hash"]}
        found = await mongo.find_one(name, ours, {"_id": 1}) is not None
    return found


def differing_fields(stored: Stored, old: Mapping[str, Any]) -> Document:
    """The fields of a state that another one lacks or has otherwise, by their names in documents.

    What a newer process keeps in the state besides is left alone by a change of these.
    """
    state = stored.as_stored()
    return stored.where(**{name: value for name, value in state.items() if name not in old or old[name] != value})


def wrapped_key(document: Document) -> bytes | None:
    """The wrapped key of an entity; None where it was forgotten, or where its kind has none."""
    wrapped = document.get("key", {}).get("wrapped")
    return None if wrapped is None else bytes(wrapped)


def forgets(entity: Entity[Any], before: Document) -> bool:
    """Whether a change takes an entity's own key away."""
    return entity.own_key and entity.wrapped_key is None and wrapped_key(before) is not None
