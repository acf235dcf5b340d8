"""A person: sealed name, phone and address, the place they live in, and how much of that others see."""

from typing import ClassVar, assert_never

import phonenumbers

from services.chassis.domain.entity import Entity, Terms
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Id, Sealed
from services.contracts.members.areas import include_a_city, path
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role, staffed

STAFF = (Role.OPERATOR, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR)
"""Whoever works for the city."""

_MOBILE = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
_COUNTRY = "+86"


class PersonUnmasked(Event):
    """Somebody of the staff looked at a person's data in clear, for a reason."""

    private: ClassVar[bool] = True

    who: Id
    reason: Sealed


PersonEvent = PersonRegistered | ProfileChanged | PersonUnmasked


class PhoneInvalid(Refusal):
    kind = Kind.INVALID


class PersonUnknown(Refusal):
    kind = Kind.INVALID


class Person(Entity[PersonEvent]):
    """Somebody known to the city; what is personal is sealed under a key of their own."""

    entity_type: ClassVar[str] = "person"
    terms: ClassVar[Terms] = Terms(sealed="name")

    name: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    area: str | None = None

    @classmethod
    def collection(cls) -> str:
        """Where people are kept."""
        return "people"

    def apply(self, event: PersonEvent) -> None:
        """Take an event into the state."""
        match event:
            case PersonRegistered() | ProfileChanged():
                self.name, self.phone, self.address = event.name, event.phone, event.address
                self.area = event.area
            case PersonUnmasked():
                pass  # a look changes nothing; the history keeps it
            case _:
                assert_never(event)

    def places(self) -> tuple[str, ...]:
        """The place they live in and those above it; none where it is not known."""
        return path(self.area) if self.area else ()

    def subjects(self) -> tuple[str, ...]:
        """Themselves."""
        return (self.id,)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Oneself; staff also see the people of their places, those of the whole city everybody."""
        places = staffed(actor, *STAFF)
        # Whoever came by phone has no place until they name one: in the city somebody must see them, too.
        if actor.has(SYSTEM) or include_a_city(places):
            return ALL
        return Visible().where("_id", actor.person).where("under", *places)


def e164(phone: str) -> str:
    """A mobile number of mainland China as ITU-T E.164 writes it, such as +8613800000001; PhoneInvalid otherwise."""
    try:
        number = phonenumbers.parse(phone, "CN")
    except phonenumbers.NumberParseException:
        raise PhoneInvalid from None
    if not phonenumbers.is_valid_number_for_region(number, "CN") or phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneInvalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked_phone(phone: str) -> str:
    """As others see it: 138****0001."""
    national = phone.removeprefix(_COUNTRY)
    return f"{national[:3]}****{national[-4:]}"


def masked_name(name: str) -> str:
    """As others see it: the first character, and no hint at the length."""
    return f"{name[0]}**"
