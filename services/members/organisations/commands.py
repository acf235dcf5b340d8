"""Founding organisations and appointing their leaders."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.refusals import NotFound
from services.chassis.domain.words import GivenName
from services.chassis.guards import changes, named_places, own_places
from services.chassis.storage.store import Taken
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.organisations import OrganisationFounded, OrganisationKind
from services.contracts.members.roles import Code, Role
from services.members.areas.queries import expect_open
from services.members.organisations import model
from services.members.organisations.model import Organisation
from services.members.people.queries import expect_known

PersonId = Annotated[str, Field(min_length=1, max_length=80)]


class FoundOrganisation(Command):
    """Who is to serve a place. The same ``code`` again gives the same organisation, unchanged."""

    code: Annotated[Code | None, Field(examples=["150702001001:station"])] = None
    kind: OrganisationKind
    name: GivenName
    area: AreaCode
    above: Annotated[str | None, Field(max_length=80, description="the id of the organisation it stands under")] = None
    department: Annotated[Code | None, Field(description="the code of a department", examples=["housing"])] = None
    leader: PersonId | None = None

    def places(self) -> tuple[str, ...]:
        """Where it is to serve."""
        return path(self.area)


class AppointLeader(Command):
    """Who leads from now on."""

    person: PersonId


@usecase(allow=Role.ADMINISTRATOR, within=named_places)
async def found_organisation(ctx: Context, cmd: FoundOrganisation) -> Organisation:
    """Found an organisation that serves a place of yours; a known code returns the existing one."""
    id = await ctx.claims.claim(Organisation.entity_type, cmd.code or ctx.cause)
    await ctx.claims.bind(Organisation.entity_type, id)
    try:
        async with ctx.store.create(Organisation, id) as organisation:
            await expect_open(ctx, cmd.area)
            model.found(organisation, _founded(cmd), await _above(ctx, cmd.above))
            await _lead(ctx, organisation, cmd.leader)
    except Taken:
        return await ctx.store.get(Organisation, id)
    return organisation


@changes(Organisation, allow=Role.ADMINISTRATOR, within=own_places)
async def appoint_leader(ctx: Context, organisation: Organisation, cmd: AppointLeader) -> None:
    """Say who leads an organisation."""
    await _lead(ctx, organisation, cmd.person)


async def _above(ctx: Context, id: str | None) -> Organisation | None:
    try:
        return await ctx.store.get(Organisation, id) if id else None
    except NotFound:
        return None


async def _lead(ctx: Context, organisation: Organisation, person_id: str | None) -> None:
    if person_id:
        await expect_known(ctx, person_id)
        model.appoint(organisation, person_id)


def _founded(cmd: FoundOrganisation) -> OrganisationFounded:
    return OrganisationFounded(
        kind=cmd.kind,
        name=cmd.name.words(),
        area=cmd.area,
        above=cmd.above,
        department=cmd.department,
        code=cmd.code,
    )
