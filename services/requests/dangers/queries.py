"""The advice for words of danger, as an answer shows it."""

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, Field

from services.chassis.domain.words import Words
from services.contracts.requests.dangers import Danger
from services.requests.dangers.model import Found


class AdviceView(BaseModel):
    """What to do now, and whom to ring."""

    kind: str = Field(examples=["gas"])
    text: Words
    numbers: list[str] = Field(description="whom to ring, the first one first", examples=[["119", "120"]])

    @classmethod
    def of(cls, danger: Danger) -> Self:
        """The advice for one kind of danger."""
        return cls(kind=danger.code, text=danger.advice, numbers=[*danger.numbers])


def advice(found: Iterable[Found]) -> list[AdviceView]:
    """The advice for the dangers that were found."""
    return [AdviceView.of(one.danger) for one in found]
