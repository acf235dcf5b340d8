"""What the operations share: how they report progress, what they answer, and that they cannot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Say = Callable[[str], None]
"""Where progress is reported."""


class CannotAnswer(Exception):
    """An operation cannot be done as things are; the text is one sentence for the operator."""


class Answer(Protocol):
    """What an operation found or did."""

    @property
    def clean(self) -> bool:
        """Whether all is well."""

    def document(self) -> Mapping[str, Any]:
        """As JSON."""


@dataclass(frozen=True)
class Plain:
    """An answer that is only a document."""

    content: Mapping[str, Any]
    clean: bool = True

    def document(self) -> Mapping[str, Any]:
        """As JSON."""
        return self.content


def quietly(what: str) -> None:
    """Report to nobody."""
