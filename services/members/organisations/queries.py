"""Lists and views of organisations."""

from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.words import Words
from services.chassis.storage.filters import Is, Matching, Within
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.areas import AreaCode, path
from services.contracts.members.organisations import OrganisationKind
from services.members.organisations.model import Organisation
from services.members.people.model import STAFF


class OrganisationQuery(PageQuery):
    """Which organisations; all filters combine."""

    under: Annotated[AreaCode | None, Within(path), Field(description="serve a place in this area")] = None
    kind: Annotated[OrganisationKind | None, Is("kind"), Field(description="are of this kind")] = None
    department: Annotated[
        str | None, Is("department"), Field(max_length=60, description="are this department, by its code")
    ] = None
    q: Annotated[str | None, Matching(), Field(min_length=1, max_length=40, description="have this in their name")] = (
        None
    )


ORGANISATIONS = Listing(Organisation, OrganisationQuery, leads=("under",))


class OrganisationView(BaseModel):
    """An organisation as everybody sees it; who leads it is for staff."""

    id: str
    code: str | None = Field(examples=["150702001001:station"])
    kind: str = Field(examples=["station"])
    name: Words
    area: str = Field(examples=["150702001001"])
    above: str | None = Field(description="the organisation it stands under")
    department: str | None = Field(examples=["housing"])
    leader: str | None = Field(description="the id of who leads it; null for who is not staff")

    @classmethod
    def of(cls, organisation: Organisation, ctx: Context) -> Self:
        """Nothing personal but an id, and that for staff only."""
        return cls(
            id=organisation.id,
            code=organisation.code,
            kind=organisation.kind,
            name=organisation.name,
            area=organisation.area,
            above=organisation.above,
            department=organisation.department,
            leader=organisation.leader_id if ctx.actor.has(*STAFF) else None,
        )


@usecase(allow=PUBLIC)
async def list_organisations(ctx: Context, query: OrganisationQuery) -> Page[Organisation]:
    """Find the organisations that serve a place."""
    return await ORGANISATIONS.page(ctx.store, query)


@usecase(allow=PUBLIC)
async def get_organisation(ctx: Context, organisation_id: str) -> Organisation:
    """Look at one organisation."""
    return await ctx.store.get(Organisation, organisation_id)
