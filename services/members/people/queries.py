"""Views of people: masked for others, in clear for themselves and for a recorded reason."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.spelling import normal
from services.chassis.domain.values import Sealed
from services.chassis.storage.filters import Matching
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.roles import Role
from services.members.people import model
from services.members.people.model import STAFF, Person, PersonUnknown
from services.members.people.phones.model import Phone, e164, masked_phone
from services.members.people.phones.queries import PhoneNumber, phone_of
from services.members.people.settings import PhoneSettings

_HIDDEN = "***"
VOICE_ONLY = (
    "the phone takes no text messages: tell them number and code of their case for the track page, and call them back"
)


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
    voice_only: bool = Field(description=VOICE_ONLY)

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """Masked for every reader."""
        clear = Clear.of(person, ctx)
        return cls(
            id=person.id,
            name=clear.name and model.masked_name(clear.name),
            phone=clear.phone and masked_phone(clear.phone),
            address=clear.address and _HIDDEN,
            area=person.area,
            voice_only=person.voice_only,
        )


NamePart = Annotated[str, Field(min_length=2, max_length=40, description="have this in their name", examples=["张三"])]


class FindPeople(PageQuery, Command):
    """Whose phone it is, or whose name is known, at least in part; in a body, since addresses are written to logs."""

    name: NamePart | None = None
    phone: PhoneNumber | None = None


class PersonQuery(PageQuery):
    """Whose name is known, at least in part."""

    name: Annotated[NamePart, Matching()]


PEOPLE = Listing(Person, PersonQuery)


class RegisteredView(BaseModel):
    """The owner of a phone, and no more: they may live outside the reader's places."""

    id: str
    phone: str | None = Field(examples=["138****0001"])
    voice_only: bool = Field(description=VOICE_ONLY)

    @classmethod
    def of(cls, person: Person, ctx: Context) -> Self:
        """The same for somebody new and somebody known."""
        return cls(id=person.id, phone=PersonView.of(person, ctx).phone, voice_only=person.voice_only)


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
async def find_people(ctx: Context, cmd: FindPeople) -> Page[Person]:
    """Find people of your places by their phone, or by two or more characters of their name."""
    if cmd.phone is not None and cmd.name is not None:
        raise model.AskedTwice
    if cmd.phone is not None:
        return Page(await _with_phone(ctx, e164(cmd.phone)))
    if cmd.name is None:
        raise model.NothingAsked
    return await PEOPLE.page(ctx.store, PersonQuery(name=cmd.name, limit=cmd.limit, after=cmd.after))


async def _with_phone(ctx: Context, phone: str) -> list[Person]:
    """The owner, where the actor may see them."""
    held = await phone_of(ctx, phone)
    id = held and held.holder
    return await ctx.store.find(Person, {"_id": id}, order=Order("_id"), limit=1) if id else []


@usecase(allow=tuple(Role))
async def get_person(ctx: Context, person_id: str) -> Person:
    """Look at one person: phone and name masked, the address hidden."""
    return await ctx.store.get(Person, person_id)


@usecase(allow=tuple(Role))
async def get_me(ctx: Context) -> Person:
    """See who you are signed in as, your profile and your roles."""
    return await ctx.store.get(Person, ctx.person)


async def name_fits(ctx: Context, person_id: str, name: str) -> bool:
    """Whether this is the person's name, however it is spelled; not where none is known."""
    known = await _name_of(ctx, person_id)
    return known is not None and normal(known) == normal(name) != ""


async def name_differs(ctx: Context, person_id: str, name: str | None) -> bool:
    """Whether the person is known by another name than this."""
    return name is not None and bool(await _name_of(ctx, person_id)) and not await name_fits(ctx, person_id, name)


async def _name_of(ctx: Context, person_id: str) -> str | None:
    """In clear."""
    try:
        person = await ctx.store.as_system().get(Person, person_id)
    except NotFound:
        return None
    await ctx.vault.ensure_keys(person.subjects())
    return Clear.of(person, ctx).name


def is_silent(ctx: Context, phone: Phone) -> bool:
    """Whether a phone was not used by its holder for as long as the city allows: others may have it by now."""
    return phone.is_silent(ctx.now(), timedelta(days=ctx.dependency(PhoneSettings).phone_silent_days))


async def is_known(ctx: Context, person_id: str) -> bool:
    """Whether there is such a person: a phone may have a holder who never signed in."""
    return bool(await ctx.store.as_system().find(Person, {"_id": person_id}, order=Order("_id"), limit=1))


async def expect_known(ctx: Context, person_id: str) -> None:
    """PersonUnknown if the person does not exist, in whatever place."""
    try:
        await ctx.store.as_system().get(Person, person_id)
    except NotFound:
        raise PersonUnknown(person=person_id) from None
