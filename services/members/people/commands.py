"""Registering people and changing profiles. Who has which phone is in ``phones``."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Sealed, id_from
from services.chassis.domain.writing import LEGIBLE
from services.chassis.guards import changes, named_places, oneself, visible
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.members.areas.queries import expect_open
from services.members.people.model import CallerUncertain, Person, PersonUnmasked
from services.members.people.phones import commands as phones
from services.members.people.phones.commands import as_phones
from services.members.people.phones.model import e164, takes_texts
from services.members.people.phones.queries import PhoneNumber, phone_of
from services.members.people.queries import Clear, is_known, is_silent, name_differs, name_fits

_OWN = "read in clear by the person, and masked by staff, who see it in clear for a reason that is recorded"
PersonName = Annotated[str, Field(min_length=1, max_length=80, description=_OWN), LEGIBLE]
Address = Annotated[str, Field(min_length=1, max_length=200, description=_OWN), LEGIBLE]
_KEPT = "read by who inspects the person's history"
Reason = Annotated[str, Field(min_length=2, max_length=500, description=_KEPT), LEGIBLE]


class RegisterPerson(Command):
    """Somebody who called or came to the counter; without an area they count to the place of who registers them."""

    name: PersonName | None = None
    phone: PhoneNumber
    address: Address | None = None
    area: AreaCode | None = None

    def places(self) -> tuple[str, ...]:
        """Where they live, if that is said."""
        return path(self.area) if self.area else ()


class RegisterStaff(Command):
    """Who gets a staff account, and for which place."""

    name: PersonName | None
    area: AreaCode

    def places(self) -> tuple[str, ...]:
        """Where they work."""
        return path(self.area)


class Unmask(Command):
    """Why somebody's data has to be seen in clear."""

    reason: Reason


class CorrectName(Command):
    """How a name is really written, and by what that is known."""

    name: PersonName
    reason: Reason


class ChangeProfile(Command):
    """All of the own profile: what is left out is emptied."""

    name: PersonName | None = None
    address: Address | None = None
    area: AreaCode | None = None


@usecase(allow=Role.OPERATOR, within=named_places)
async def register_person(ctx: Context, cmd: RegisterPerson) -> Person:
    """Register a caller or visitor by phone; somebody who is known already stays as they are.

    Of a phone that was silent for long, the name says whether it is still the same person. Of one that is in use
    another name is refused: if it is somebody else's by now, take it out of the old file first.
    """
    number = e164(cmd.phone)
    # For a place of others the phone is not looked up: the refusal must not say whether it is known.
    if ctx.actor.is_in_charge_of(cmd.places()) or cmd.area is None:
        if cmd.area:
            await expect_open(ctx, cmd.area)
        id = await _holder(ctx, number, cmd.name)
    else:
        id = await ctx.claims.bound(Person.entity_type) or id_from(Person.entity_type, ctx.cause)
    await ctx.claims.bind(Person.entity_type, id)
    area = cmd.area or next(iter(ctx.actor.places), None)
    return await _entered(ctx, id, Clear(cmd.name, number, cmd.address), area)


@usecase(allow=SYSTEM)
async def register_by_phone(ctx: Context, id: str, number: str) -> Person:
    """Create the person who signs in with their phone for the first time."""
    person = await _entered(ctx, id, Clear(phone=number), None)
    return person if person.phone else await set_phone(ctx.substep("file"), id, number)


@changes(Person, allow=SYSTEM)
async def set_phone(ctx: Context, person: Person, number: str) -> None:
    """Put a phone into a person's file."""
    await ctx.vault.ensure_keys(person.subjects())
    if Clear.of(person, ctx).phone != number:
        person.record(with_phone(ctx, person, number))


@changes(Person, allow=SYSTEM)
async def drop_phone(ctx: Context, person: Person, number: str) -> None:
    """Take this phone out of a person's file; another one stays."""
    await ctx.vault.ensure_keys(person.subjects())
    if Clear.of(person, ctx).phone == number:
        person.record(with_phone(ctx, person, None))


async def lose_phone(ctx: Context, number: str, holder: str, person_id: str | None = None) -> str:
    """Take a silent phone out of its holder's file, and give it to this person, or to one who is yet to come.

    Returns whose it is. The file comes first: after a break in between, the phone is silent still.
    """
    if await is_known(ctx, holder):
        await drop_phone(as_phones(ctx, "file-before"), holder, number)
    given = await phones.hand_over(as_phones(ctx, "handed-over"), number, holder, person_id)
    return given.holder or holder


@usecase(allow=Role.ADMINISTRATOR, within=named_places)
async def register_staff(ctx: Context, id: str, cmd: RegisterStaff) -> Person:
    """Create the person behind a staff account."""
    return await _entered(ctx, id, Clear(name=cmd.name), cmd.area)


@changes(Person, allow=(Role.OPERATOR, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR), within=visible, live=True)
async def unmask(ctx: Context, person: Person, cmd: Unmask) -> None:
    """See a person's name, phone and address in clear, for a reason that is kept."""
    await ctx.vault.ensure_keys(person.subjects())
    reason = ctx.vault.seal(cmd.reason, person.id, "reason")
    person.record(PersonUnmasked(who=ctx.actor.id, reason=reason))


@changes(Person, allow=Role.OPERATOR, within=visible)
async def correct_name(ctx: Context, person: Person, cmd: CorrectName) -> None:
    """Correct a name that was written wrongly; the one before and the reason stay in the person's history."""
    await ctx.vault.ensure_keys(person.subjects())
    if Clear.of(person, ctx).name != cmd.name:
        reason, name = (
            ctx.vault.seal(text, person.id, kind) for text, kind in ((cmd.reason, "reason"), (cmd.name, "name"))
        )
        person.record(
            ProfileChanged(
                name=name,
                phone=person.phone,
                address=person.address,
                area=person.area,
                voice_only=person.voice_only,
                reason=reason,
            )
        )


@usecase(allow=tuple(Role), within=oneself)
async def change_profile(ctx: Context, cmd: ChangeProfile) -> Person:
    """Set your own name, address and area."""
    async with ctx.store.change(Person, ctx.person) as person:
        await ctx.vault.ensure_keys(person.subjects())
        before = Clear.of(person, ctx)
        if (cmd.name, cmd.address, cmd.area) != (before.name, before.address, person.area):
            if cmd.area:
                await expect_open(ctx, cmd.area)
            name, phone, address = _sealed(ctx, person.id, Clear(cmd.name, before.phone, cmd.address))
            person.record(
                ProfileChanged(name=name, phone=phone, address=address, area=cmd.area, voice_only=person.voice_only)
            )
    return person


def with_phone(ctx: Context, person: Person, number: str | None, reason: Sealed | None = None) -> ProfileChanged:
    """The profile with another phone, or none; the person's key must be loaded."""
    phone = None if number is None else ctx.vault.seal(number, person.id, "phone")
    voice_only = number is not None and not takes_texts(number)
    return ProfileChanged(
        name=person.name, phone=phone, address=person.address, area=person.area, voice_only=voice_only, reason=reason
    )


async def _holder(ctx: Context, number: str, name: str | None) -> str:
    """The id of whose phone this is, or will be: the caller has it now. A call confirms nothing: only a code does."""
    phone = await phone_of(ctx, number)
    holder = phone.holder if phone else None
    if phone and holder and is_silent(ctx, phone) and await is_known(ctx, holder):
        if name is None:
            raise CallerUncertain
        if not await name_fits(ctx, holder, name):
            await lose_phone(ctx, number, holder)
    return (await phones.ensure_holder(as_phones(ctx, "held"), number)).holder or ""


async def _entered(ctx: Context, id: str, clear: Clear, area: str | None) -> Person:
    try:
        async with ctx.store.create(Person, id) as person:
            if area:
                await expect_open(ctx, area)
            await ctx.vault.mint(id, ctx.now())
            name, phone, address = _sealed(ctx, id, clear)
            voice_only = clear.phone is not None and not takes_texts(clear.phone)
            person.record(PersonRegistered(name=name, phone=phone, address=address, area=area, voice_only=voice_only))
    except Taken:
        if await name_differs(ctx, id, clear.name):
            raise CallerUncertain from None
        return await ctx.store.as_system().get(Person, id)
    return person


def _sealed(ctx: Context, id: str, clear: Clear) -> tuple[Sealed | None, Sealed | None, Sealed | None]:
    """(name, phone, address)."""

    def optional(text: str | None, kind: str) -> Sealed | None:
        return None if text is None else ctx.vault.seal(text, id, kind)

    return optional(clear.name, "name"), optional(clear.phone, "phone"), optional(clear.address, "address")
