"""The device of a sign-in: what it calls itself, and by what it is known again."""

import re
from typing import Annotated, NamedTuple, Self

from services.chassis.domain.values import Sealed, shaped

DeviceId = Annotated[
    str,
    shaped(
        r"^[A-Za-z0-9_-]{16,64}$",
        "device-id",
        description="a random text that a client makes once and keeps: by it a device is known again",
        examples=["k7Qm2xWc0vT9aLzR"],
    ),
]
MOST_OF_A_NAME = 300
"""How much of what a device calls itself is kept, in characters."""
_VARYING = re.compile(
    r"\s*(?:NetType|Language|Build|ABI|Weixin|Process)/[^\s)]*|\(0x[0-9A-Fa-f]+\)|(?<=[/ :])\d[\d._]*"
)
"""What a device says of its network, its language and its versions, which change from day to day."""


class SignInDevice(NamedTuple):
    """What somebody signs in with: what it calls itself, and by what it is known again."""

    name: str
    identity: str

    @classmethod
    def of(cls, agent: str | None, id: str | None) -> Self:
        """From the header User-Agent, and from the id that a client keeps; without one its kind must do."""
        # The server reads headers as latin-1, which can hold every byte; some devices send UTF-8.
        name = (agent or "").encode("latin-1").decode("utf-8", "replace")[:MOST_OF_A_NAME]
        return cls(name, f"id:{id}" if id else f"kind:{kind_of_device(name)}")


class Device(NamedTuple):
    """A device as it is kept: its name, sealed, and the blind index by which it is known again."""

    name: Sealed
    blind: str


def kind_of_device(name: str) -> str:
    """What a device calls itself without what changes: no update, and no other network, makes a new device of it."""
    return " ".join(_VARYING.sub("", name).split())
