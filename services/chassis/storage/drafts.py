"""How an entity stands in its document: its state, its history, and the tokens by which it is found."""

from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Origin, Recorded, newer_shapes
from services.chassis.storage import search
from services.chassis.storage.mongo import Document


def recorded(entity: "Entity[Any]", origin: Origin, previous: str, refused: Document | None = None) -> list[Document]:
    """The fresh events of an entity as its history keeps them, chained to ``previous``."""
    history: list[Document] = []
    for version, event in enumerate(entity.fresh, start=entity.version + 1):
        entry = Recorded.of(event, entity.id, version, origin, previous, refused)
        history.append(entry.document())
        previous = entry.hash
    return history


def draft(
    entity: "Entity[Any]", origin: Origin, refused: Document | None = None, terms: list[str] | None = None
) -> Document:
    """The first document of an entity to which something has happened; ValidationError where a field was never set.

    ``terms`` are its tokens; TypeError without them where a sealed field is searched, since they need its key.
    """
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
        **({search.FIELD: _unsealed(entity) if terms is None else terms} if entity.terms else {}),
        **({"shapes": shapes} if (shapes := newer_shapes(history)) else {}),
    }


def _unsealed(entity: "Entity[Any]") -> list[str]:
    if entity.terms.sealed is not None:
        raise TypeError(
            f"{type(entity).__name__} is written by use cases only: blind tokens need the key of its subject"
        )
    return search.plain_terms(entity)
