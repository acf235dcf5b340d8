"""An account of a process at a store."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """Name and password with which a process signs in to a store; the password is shown nowhere."""

    name: str
    password: str = field(repr=False)

    @classmethod
    def read(cls, name: str, file: Path) -> "Account":
        """With the password that a file holds; OSError if it cannot be read."""
        return cls(name, file.read_text().strip())
