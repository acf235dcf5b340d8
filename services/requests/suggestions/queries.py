"""Suggestions from an index that follows the catalogue."""

import time
from typing import Annotated

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order
from services.chassis.domain.scope import PUBLIC
from services.chassis.domain.values import Text
from services.chassis.domain.words import Words
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Command, Context, usecase
from services.requests.catalogue.model import Item
from services.requests.dangers.model import Dangers, Found
from services.requests.dangers.queries import AdviceView, advice
from services.requests.suggestions import model
from services.requests.suggestions.model import Entry, TermIndex

_LOOK_AGAIN = 1.0
_MOST_ITEMS = 5_000


class SuggestItems(Command):
    """What somebody wants to ask for, as they say it."""

    text: Annotated[Text, Field(description="read by nobody and kept nowhere: it is only looked through")]
    title: Annotated[str, Field(max_length=200)] = ""


class SuggestionView(BaseModel):
    """A service item that may be meant."""

    code: str
    name: Words
    system: str
    score: float = Field(description="how well it fits; comparable within one answer only")
    why: list[str] = Field(description="the words that point to it, strongest first; empty for a general item")
    emergency: Words | None = Field(description="what to do at once where somebody is in danger")


class Suggestions(BaseModel):
    """Up to five service items, best first."""

    items: list[SuggestionView]
    advice: list[AdviceView] = Field(
        description="what to do at once and whom to ring, where the words name a danger; also where no item fits"
    )


class ItemIndex:
    """The index of the catalogue in this process; checked for changes once a second."""

    def __init__(self) -> None:
        self._stamp: Document | None = None
        self._looked_at = float("-inf")
        self.index: TermIndex = model.build(())
        self.items: dict[str, Item] = {}

    async def refresh(self, ctx: Context) -> None:
        """Build the index again if the catalogue has changed."""
        if time.monotonic() - self._looked_at < _LOOK_AGAIN:
            return
        stamp = await _stamp(ctx)
        if stamp != self._stamp:
            offered = await ctx.store.find(Item, Item.where(offered=True), order=Order("_id"), limit=_MOST_ITEMS)
            self.items = {item.id: item for item in offered}
            self.index = model.build(_entry(item) for item in offered)
        self._stamp, self._looked_at = stamp, time.monotonic()


@usecase(allow=PUBLIC)
async def suggest_items(ctx: Context, cmd: SuggestItems) -> Suggestions:
    """Find out which service fits what you want to say, with the words that point to it, and what to do in danger."""
    known = ctx.dependency(ItemIndex)
    await known.refresh(ctx)
    dangers = ctx.dependency(Dangers).find(cmd.title, cmd.text)
    found = model.leading(_of_danger(known, dangers), model.suggest(known.index, cmd.text, cmd.title))
    return Suggestions(items=[_view(known.items[one.code], one) for one in found], advice=advice(dangers))


async def _stamp(ctx: Context) -> Document | None:
    """The number of items and the sum of their versions: every change of the catalogue changes one of them."""
    total = {"$group": {"_id": None, "items": {"$sum": 1}, "versions": {"$sum": "$version"}}}
    found = await ctx.container.mongo.aggregate(Item.collection(), [{"$sort": {"version": 1}}, total], 1)
    return found[0] if found else None


def _of_danger(known: ItemIndex, dangers: list[Found]) -> dict[str, str]:
    """The items that are for these dangers, each with the words that name it."""
    items: dict[str, str] = {}
    for one in dangers:
        for code in one.danger.items:
            if code in known.items:
                items.setdefault(code, one.words)
    return items


def _entry(item: Item) -> Entry:
    return Entry(item.id, item.name.zh, tuple(item.keywords), item.general)


def _view(item: Item, found: model.Suggestion) -> SuggestionView:
    return SuggestionView(
        code=item.id,
        name=item.name,
        system=item.system,
        score=found.score,
        why=list(found.why),
        emergency=item.emergency,
    )
