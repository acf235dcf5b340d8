"""Reading the audit log of members; it holds ids and codes only."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.values import Moment
from services.chassis.storage.audit import COLLECTION, Action
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role

_ORDER = Order("at", descending=True)


class EntryQuery(PageQuery):
    """Which entries; all filters combine."""

    subject: str | None = Field(None, max_length=80, description="whose data: the id of a person")
    actor: str | None = Field(None, max_length=80, description="who saw it: the id of an account")
    action: Action | None = Field(None, description="such as `unmask`")
    since: Moment | None = Field(None, description="on this day or at this instant, or later")

    def where(self) -> Document:
        """As a condition on stored entries."""
        named = {"subjects": self.subject, "actor": self.actor, "action": self.action and self.action.value}
        since = {"at": {"$gte": self.since}} if self.since else {}
        return {name: value for name, value in named.items() if value} | since


class EntryView(BaseModel):
    """What somebody saw, or was refused."""

    id: str
    at: datetime
    actor: str = Field(description="who it was: the id of their account", examples=["account_2m7q"])
    roles: list[str] = Field(examples=[["operator"]])
    action: str = Field(description="`unmask`, `read`, `list` or `refuse`", examples=["unmask"])
    usecase: str = Field(examples=["members.people.unmask"])
    about: list[str] = Field(description="the ids in the address")
    subjects: list[str] = Field(description="whose data it was: ids of people, at most 200")
    count: int = Field(description="of how many people it was")
    code: str | None = Field(description="of a refusal: its code")
    trace: str | None

    @classmethod
    def of(cls, entry: Document, ctx: Context) -> Self:
        """As it is stored, without its place in the chain."""
        return cls.model_validate({**entry, "id": entry["_id"]})


@usecase(allow=Role.AUDITOR)
async def list_entries(ctx: Context, query: EntryQuery) -> Page[Document]:
    """Read who of the staff saw whose data, and who was refused, the latest first. Reasons are in people's histories.

    An auditor is of the whole city: the entries of the log name no place.
    """
    where = query.where()
    found = await ctx.container.mongo.find(
        COLLECTION, _ORDER.beyond(where, query.after), sort=_ORDER.keys, limit=query.limit + 1
    )
    page = found[: query.limit]
    return Page(page, _ORDER.cursor(where, page[-1]) if len(found) > len(page) else None)
