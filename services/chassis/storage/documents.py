"""An object as its document holds it."""

from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.storage.mongo import Document

S = TypeVar("S", bound=Stored)


def load(kind: type[S], document: Document) -> S:
    """The object that a document holds."""
    return kind.model_validate({**document["state"], "id": document["_id"], "version": document["version"]})
