"""Views of people: masked for others, in clear for themselves and for a recorded reason."""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.values import Sealed
from services.chassis.storage.filters import Matching
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role
from services.members.people import model
from services.members.people.model import STAFF, Person, PersonUnknown

_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Clear:
    """Personal data in clear; None if it is unknown or was erased."""

    name: str | None = None
    phone: str | None = None
    address: str | None = None

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """Opened; the person's key must be loaded."""

        def opened(sealed: Sealed | None, kind: str) -> str | None:
            return None if sealed is None else ctx.vault.open(sealed, person.id, kind)

        return cls(opened(person.name, "name"), opened(person.phone, "phone"), opened(person.address, "address"))


class PersonView(BaseModel):
    """A person as others see them."""

    id: str
    name: str | None = Field(examples=["张**"])
    phone: str | None = Field(examples=["138****0001"])
    address: str | None = Field(description="hidden; `unmask` shows it", examples=[_HIDDEN])
    area: str | None = Field(examples=["150702001001"])

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """Masked for every reader."""
        clear = Clear.of(person, ctx)
        return cls(
            id=person.id,
            name=clear.name and model.masked_name(clear.name),
            phone=clear.phone and model.masked_phone(clear.phone),
            address=clear.address and _HIDDEN,
            area=person.area,
        )


class PersonQuery(PageQuery):
    """Whose name is known, at least in part."""

    q: Annotated[
        str, Matching(), Field(min_length=2, max_length=40, description="have this in their name", examples=["张三"])
    ]


PEOPLE = Listing(Person, PersonQuery)


class RegisteredView(BaseModel):
    """The owner of a phone, and no more: they may live outside the reader's places."""

    id: str
    phone: str | None = Field(examples=["138****0001"])

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """The same for somebody new and somebody known."""
        return cls(id=person.id, phone=PersonView.of(person, ctx).phone)


class ClearView(BaseModel):
    """A person in clear."""

    id: str
    name: str | None = Field(examples=["张三"])
    phone: str | None = Field(examples=["+8613800000001"])
    address: str | None
    area: str | None = Field(examples=["150702001001"])

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """Everything."""
        clear = Clear.of(person, ctx)
        return cls(id=person.id, name=clear.name, phone=clear.phone, address=clear.address, area=person.area)


class MeView(ClearView):
    """Oneself: the own profile in clear, and what the present token allows."""

    account: str
    roles: list[str] = Field(examples=[["resident"]])
    places: list[str] = Field(description="the areas for which the roles hold")
    organisations: list[str] = Field(description="the organisations and teams for which the roles hold")

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """The profile, with the token's roles."""
        actor, clear = ctx.actor, Clear.of(person, ctx)
        return cls(
            id=person.id,
            name=clear.name,
            phone=clear.phone,
            address=clear.address,
            area=person.area,
            account=actor.id,
            roles=sorted(actor.roles),
            places=list(actor.places),
            organisations=list(actor.organisations),
        )


@usecase(allow=STAFF)
async def list_people(ctx: Context, query: PersonQuery) -> Page[Person]:
    """Find the people of your places by two or more characters of their name."""
    return await PEOPLE.page(ctx.store, query)


@usecase(allow=tuple(Role))
async def get_person(ctx: Context, person_id: str) -> Person:
    """Look at one person: phone and name masked, the address hidden."""
    return await ctx.store.get(Person, person_id)


@usecase(allow=tuple(Role))
async def get_me(ctx: Context) -> Person:
    """See who you are signed in as, your profile and your roles."""
    return await ctx.store.get(Person, ctx.person)


async def expect_known(ctx: Context, person_id: str) -> None:
    """PersonUnknown if the person does not exist, in whatever place."""
    try:
        await ctx.store.as_system().get(Person, person_id)
    except NotFound:
        raise PersonUnknown(person=person_id) from None
