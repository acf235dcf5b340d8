"""The advice for words of danger, as an answer shows it and as a case keeps it."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from pydantic import BaseModel, Field

from services.chassis.domain.words import Words
from services.chassis.usecase import Context
from services.contracts.requests.dangers import Advice, Danger, written
from services.requests.catalogue.model import Item
from services.requests.dangers.model import Dangers, Found


class AdviceView(BaseModel):
    """What to do now, and whom to ring."""

    kind: str | None = Field(description="null where it is that of the service item", examples=["gas"])
    text: Words
    numbers: list[str] = Field(description="whom to ring, the first one first", examples=[["119", "120"]])

    @classmethod
    def of(cls, advice: Advice) -> Self:
        """The advice for one danger, or of an item."""
        return cls(kind=advice.kind, text=advice.text, numbers=advice.numbers)


def advice(found: Iterable[Found]) -> list[AdviceView]:
    """The advice for the dangers that were found."""
    return [AdviceView.of(_of_kind(one.danger)) for one in found]


class Given(NamedTuple):
    """What somebody is told to do at once, as one text, and whether it is their own words that name a danger."""

    advice: str | None
    named: bool


def advice_of(ctx: Context, item: Item, *texts: str) -> Given:
    """What somebody who asks for an item in these words is told to do at once; None where nothing is.

    The item's own advice comes last, unless it is the item for one of the dangers. Of a sensitive item a phone shows
    neutral words, whatever the danger.
    """
    dangers = [one.danger for one in ctx.dependency(Dangers).find(*texts)]
    found = [_of_kind(one) for one in dangers]
    if item.emergency is not None and not any(item.id in one.items for one in dangers):
        found.append(Advice(text=item.emergency, short=item.emergency))
    if item.sensitive:
        neutral = ctx.container.texts.words("advice", "neutral")
        found = [one.model_copy(update={"short": neutral}) for one in found]
    return Given(written(found) if found else None, bool(dangers))


def _of_kind(danger: Danger) -> Advice:
    return Advice(kind=danger.code, text=danger.advice, short=danger.short, numbers=[*danger.numbers])
