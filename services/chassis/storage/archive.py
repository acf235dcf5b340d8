"""The archive: old events leave the document of their entity and are kept as one document each."""

from collections.abc import AsyncIterator, Sequence

from services.chassis.storage.mongo import DatabaseIndex, Document, Mongo, New

INDEX = DatabaseIndex(("entity", "cause", "version"))
"""A repeat finds its cause by this index."""
_CHUNK = 200
_ITS_OWN = ("_id", "entity")  # fields that an archived event has in addition to an entry of a history


class Gap(Exception):
    """A history lacks versions."""


def collection_of(name: str) -> str:
    """The collection for the archived events of a collection."""
    return f"{name}_archive"


async def trim(mongo: Mongo, name: str, id: str, cap: int) -> int:
    """Move the oldest events of a history longer than ``cap`` to the archive, so that half of ``cap`` stays. Returns
    how many.

    Unpublished events always stay. Gap if events between archive and document are missing.
    """
    document = await mongo.find_one(name, {"_id": id}, {"history": 1, "published": 1, "archived": 1})
    oldest = surplus(document, cap) if document else []
    if oldest:
        await copy(mongo, name, id, oldest)
        await pull(mongo, name, id, oldest[-1]["version"])
    return len(oldest)


def surplus(document: Document, cap: int) -> list[Document]:
    """The events that may leave a document's history, oldest first. Gap if they do not continue the archive."""
    history, archived = document["history"], document["archived"]
    over = history[: len(history) - cap // 2] if len(history) > cap else []
    oldest = [entry for entry in over if entry["version"] <= document["published"]]
    versions = [entry["version"] for entry in oldest]
    if versions != list(range(archived + 1, archived + 1 + len(oldest))):
        raise Gap(f"{document['_id']}: archived {archived}, then has {versions}")
    return oldest


async def copy(mongo: Mongo, name: str, id: str, entries: Sequence[Document]) -> None:
    """Copy events of one entity into the archive; existing ones are skipped."""
    kept = [New({"_id": f"{id}:{entry['version']}", "entity": id, **entry}) for entry in entries]
    await mongo.bulk(collection_of(name), kept)


async def pull(mongo: Mongo, name: str, id: str, upto: int) -> None:
    """Remove archived events from the document. Its version stays, so no writer gets a conflict."""
    gone = {"$pull": {"history": {"version": {"$lte": upto}}}, "$max": {"archived": upto}}
    await mongo.update(name, {"_id": id, "published": {"$gte": upto}}, gone)


async def whole(mongo: Mongo, name: str, document: Document) -> list[Document]:
    """The whole history, oldest first, even if it is trimmed meanwhile.

    ``document`` was read before, with ``archived``.
    """
    history: list[Document] = document["history"]
    upto = min(document["archived"], history[0]["version"] - 1) if history else 0
    return [*[entry async for entry in _archived(mongo, name, document["_id"], upto)], *history]


async def of_cause(mongo: Mongo, name: str, id: str, cause: str) -> Document | None:
    """The last archived event of an entity with this cause, or None."""
    where = {"entity": id, "cause": cause}
    found = await mongo.find(collection_of(name), where, sort=[("version", -1)], limit=1)
    return found[0] if found else None


async def _archived(mongo: Mongo, name: str, id: str, upto: int) -> AsyncIterator[Document]:
    for start in range(1, upto + 1, _CHUNK):
        ids = [f"{id}:{version}" for version in range(start, min(start + _CHUNK, upto + 1))]
        found = await mongo.find(collection_of(name), {"_id": {"$in": ids}}, limit=len(ids))
        for entry in sorted(found, key=lambda entry: int(entry["version"])):
            yield {name: value for name, value in entry.items() if name not in _ITS_OWN}
