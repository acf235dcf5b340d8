"""A person whose cases are here: name and phone, sealed."""

from typing import ClassVar

from services.chassis.domain.entity import Copy
from services.chassis.domain.values import Sealed
from services.contracts.members.people import PersonRegistered, ProfileChanged

PersonEvent = PersonRegistered | ProfileChanged


class Person(Copy[PersonEvent]):
    """A person, as far as helping them needs it."""

    entity_type: ClassVar[str] = "person"
    creates = (PersonRegistered,)

    name: Sealed | None = None
    phone: Sealed | None = None
    voice_only: bool = False

    def apply(self, event: PersonEvent) -> None:
        """Fold an event into the copy."""
        self.name, self.phone, self.voice_only = event.name, event.phone, event.voice_only

    def subjects(self) -> tuple[str, ...]:
        """The person."""
        return (self.id,)
