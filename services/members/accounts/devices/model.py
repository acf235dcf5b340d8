"""The device of a sign-in: what it calls itself, and by what it is known again."""

import re
from datetime import UTC, datetime, timedelta
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
DeviceProof = Annotated[
    str,
    shaped(
        r"^[0-9]{13}\.[0-9a-f]{40}$",
        "device-proof",
        description="the latest `device_proof` that this device got for the account: what strangers guess wrongly then "
        "locks nobody out on it; to be kept as the refresh token is, also after signing out",
        examples=["1796040000000.4be1d0a3c2f54be1d0a3c2f54be1d0a3c2f54be1"],
    ),
]
PROVEN_FOR = timedelta(days=180)
"""As long as the longest session."""
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


class Proof(NamedTuple):
    """A proof of a sign-in with a device, ``milliseconds.mark``: when it was given, and by what it is known."""

    given_at: datetime
    mark: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of a text that is shaped as one."""
        at, _, mark = text.partition(".")
        return cls(datetime.fromtimestamp(int(at) / 1000, UTC), mark)

    @property
    def at(self) -> str:
        """When it was given, as it is written."""
        return f"{round(self.given_at.timestamp() * 1000):013}"

    def __str__(self) -> str:
        return f"{self.at}.{self.mark}"

    def counts(self, since: datetime | None, now: datetime) -> bool:
        """Whether it is young enough, and was given after the account's devices were forgotten, which was ``since``."""
        return now - self.given_at < PROVEN_FOR and (since is None or self.given_at > since)


class Device(NamedTuple):
    """A device as it is kept: its name, sealed, and the blind index by which it is known again."""

    name: Sealed
    blind: str


def kind_of_device(name: str) -> str:
    """What a device calls itself without what changes: no update, and no other network, makes a new device of it."""
    return " ".join(_VARYING.sub("", name).split())
