"""A person: sealed name, phone and address, the place where they live, and what others may see of it."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Entity, Terms
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Id, Sealed
from services.contracts.members.areas import include_a_city, path
from services.contracts.members.people import PersonRegistered, PhoneChanged, ProfileChanged
from services.contracts.members.roles import Role, staffed

STAFF = (Role.OPERATOR, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR)
"""Everybody who works for the city."""


class PersonUnmasked(Event):
    """Somebody of the staff looked at a person's data in clear, for a reason."""

    private: ClassVar[bool] = True

    who: Id
    reason: Sealed


PersonEvent = PersonRegistered | ProfileChanged | PhoneChanged | PersonUnmasked


class AskedTwice(Refusal):
    kind = Kind.INVALID


class NothingAsked(Refusal):
    kind = Kind.INVALID


class CallerUncertain(Refusal):
    kind = Kind.STATE


class PersonUnknown(Refusal):
    kind = Kind.INVALID


class Person(Entity[PersonEvent]):
    """A person known to the city; personal data is sealed under their own key."""

    entity_type: ClassVar[str] = "person"
    terms: ClassVar[Terms] = Terms(sealed="name")

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: str | None = None
    voice_only: bool = False

    @classmethod
    def collection(cls) -> str:
        """The collection of people."""
        return "people"

    def apply(self, event: PersonEvent) -> None:
        """Fold an event into the state."""
        match event:
            case PersonRegistered() | ProfileChanged():
                self.name, self.phone, self.address = event.name, event.phone, event.address
                self.area, self.voice_only = event.area, event.voice_only
            case PhoneChanged():
                pass  # the profile has the new one
            case PersonUnmasked():
                pass  # reading changes nothing; the history keeps it
            case _:
                assert_never(event)

    def places(self) -> tuple[str, ...]:
        """The codes from the city down to where they live; none if that is unknown."""
        return path(self.area) if self.area else ()

    def subjects(self) -> tuple[str, ...]:
        """Themselves."""
        return (self.id,)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Oneself; staff also see the people of their places, and staff of the whole city see everybody."""
        places = staffed(actor, *STAFF)
        # A person who signed in by phone has no place until they state one: staff of the whole city must see them.
        if actor.has(SYSTEM) or include_a_city(places):
            return ALL
        return Visible().where("_id", actor.person).where("under", *places)


def masked_name(name: str) -> str:
    """As others see it: the first character, and no hint at the length."""
    return f"{name[0]}**"
