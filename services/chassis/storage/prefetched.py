"""A prefetched document: read by the query of a timer, for the use case that changes its entity."""

from services.chassis.storage.mongo import Document


class Prefetched:
    """The document of one entity, with those events of its history that have a cause of the timer that found it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        """As it was read; not to be changed."""
        self._taken = False

    def take(self, id: str, cause: str) -> Document | None:
        """The document with the event of this cause, if it is that of ``id`` and was not taken before.

        So a use case that runs again after a conflict reads the document again. None where the event may be in the
        archive.
        """
        if self._taken or self.document["_id"] != id:
            return None
        self._taken = True
        history = [entry for entry in self.document["history"] if entry["cause"] == cause]
        return {**self.document, "history": history} if history or not self.document["archived"] else None
