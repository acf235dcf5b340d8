"""What a service item is described by: parts of the events of the catalogue."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Mode(StrEnum):
    """Whether a service costs something: what is free can never be charged."""

    FREE = "free"
    PAID = "paid"


class FieldKind(StrEnum):
    """What may be written into a field of an item's form."""

    STRING = "string"
    NUMBER = "number"
    TEXT = "text"
    DATETIME = "datetime"
    SINGLE = "single"
    MULTI = "multi"


class Words(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    zh: str
    en: str


class Choice(Words):
    """One of the answers that a field of a form offers."""

    key: str


class FormField(BaseModel):
    """One question that an item asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    label: Words
    kind: FieldKind | str
    required: bool
    values: list[Choice] = Field(default_factory=list)
