"""How often the doors that are open to everybody may be knocked at: the settings, and the paths they hold for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError


class LimitUnfit(Exception):
    """A limit is no number; the text says which and what to give."""


class Limits(BaseModel):
    """Requests a second that pass, with as many saved up for two seconds; the rest is 429. LINLI_ and the name."""

    model_config = ConfigDict(frozen=True)

    # One address is often many people: a mobile network, a service hall, the hotline, `linli replay` (40 a second).
    sign_in_rate: PositiveInt = Field(100, description="requests a second to /v1/sign-in from one address; 429 above")
    sign_in_rate_all: PositiveInt = Field(500, description="requests a second to /v1/sign-in from all together")
    # At this rate the one code in 16 million is found after ten days, for one number.
    track_rate: PositiveInt = Field(10, description="requests a second to /v1/track from one address; 429 above")
    track_rate_all: PositiveInt = Field(200, description="requests a second to /v1/track from all together")

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The limits that settings ask for; LimitUnfit where one is no number of requests."""
        asked = {name: given[setting(name)] for name in cls.model_fields if given.get(setting(name))}
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            name = setting(str(error.errors()[0]["loc"][0]))
            raise LimitUnfit(f"{name} is {given[name]!r}: give a number of requests a second.") from None

    def rates(self) -> dict[str, "Rate"]:
        """What holds for which public path."""
        return {
            "/v1/sign-in": Rate(self.sign_in_rate, self.sign_in_rate_all),
            "/v1/track": Rate(self.track_rate, self.track_rate_all),
        }


@dataclass(frozen=True)
class Rate:
    """Requests a second: from one address, and from all together."""

    each: int
    all: int


def setting(name: str) -> str:
    """The environment variable that sets this limit."""
    return f"LINLI_{name.upper()}"
