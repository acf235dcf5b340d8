"""Lists on the wire: entries and the cursor of the next page."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

V = TypeVar("V", bound=BaseModel)


class Paged(BaseModel, Generic[V]):
    """One page of a list."""

    items: list[V]
    next: str | None = Field(None, description="give it as `after` for the next page; null at the end")
