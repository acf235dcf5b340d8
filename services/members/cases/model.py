"""A case as members knows it: its number, and whose it is."""

from typing import ClassVar

from services.chassis.domain.entity import Copy, Index
from services.contracts.requests.cases import CaseFiled


class FiledCase(Copy[CaseFiled]):
    """The number of a case and its resident; nothing of what it is about."""

    entity_type: ClassVar[str] = "case"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("number",)),)
    creates = (CaseFiled,)

    number: str
    resident_id: str

    def apply(self, event: CaseFiled) -> None:
        """Take the event of the source into the copy."""
        self.number, self.resident_id = event.number, event.resident_id
