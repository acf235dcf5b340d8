"""How often one may knock at an open door, and ask for something when signed in: the settings, and their routes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

# As this `linli seed` acts, with a token that it signs itself: whoever can read the signing key can be anybody.
OPERATOR = "operator-of-the-stack"
# Addresses, or subjects, that a limit tells apart; whoever has not come for longest is forgotten, with a full bucket.
MOST_COUNTED = 10_000


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
    suggest_rate: PositiveInt = Field(
        100, description="requests a second to /v1/catalogue/suggest from one address; 429 above"
    )
    suggest_rate_all: PositiveInt = Field(
        1000, description="requests a second to /v1/catalogue/suggest from all together"
    )
    # A busy desk asks ten times a second while a page opens; this leaves room for a script that waits for its answers.
    subject_rate: PositiveInt = Field(
        100,
        description="requests a second of one who is signed in, on all routes together, twice that at once; 429 above",
    )
    operator_rate: PositiveInt = Field(
        5000, description=f"the same for `{OPERATOR}`, who holds the signing key: `linli seed`"
    )
    # A hotline, or another system that files for many, is one subject.
    filing_rate: PositiveInt = Field(
        30, description="requests that one who is signed in may file (POST /v1/requests) a second; 429 above"
    )
    filing_rate_all: PositiveInt = Field(2000, description="requests that all who are signed in may file a second")
    # More is not work at a desk, it is carrying people's data away.
    people_rate: PositiveInt = Field(
        30, description="requests a second to /v1/people of one who is signed in, to read and to write each; 429 above"
    )
    people_rate_all: PositiveInt = Field(
        1000, description="requests a second to /v1/people of all who are signed in, to read and to write each"
    )
    # After a gateway was started again, everybody's stream is opened again.
    stream_rate: PositiveInt = Field(
        5, description="live streams (/v1/inbox/stream) that one who is signed in may open a second; 429 above"
    )
    stream_rate_all: PositiveInt = Field(2000, description="live streams that all who are signed in may open a second")

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The limits that settings ask for; LimitUnfit where one is no number of requests."""
        asked = {name: given[setting(name)] for name in cls.model_fields if given.get(setting(name))}
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            name = setting(str(error.errors()[0]["loc"][0]))
            raise LimitUnfit(f"{name} is {given[name]!r}: give a number of requests a second.") from None

    def doors(self) -> dict[str, "Rate"]:
        """What holds for which route that is open to everybody, by address."""
        return {
            "/v1/sign-in": Rate(self.sign_in_rate, self.sign_in_rate_all),
            "/v1/track": Rate(self.track_rate, self.track_rate_all),
            "POST /v1/catalogue/suggest": Rate(self.suggest_rate, self.suggest_rate_all),
        }

    def desks(self) -> dict[str, "Rate"]:
        """What holds for which route that costs or tells more than others, by subject."""
        return {
            "POST /v1/requests": Rate(self.filing_rate, self.filing_rate_all),
            "/v1/people": Rate(self.people_rate, self.people_rate_all),
            "/v1/inbox/stream": Rate(self.stream_rate, self.stream_rate_all),
        }


@dataclass(frozen=True)
class Rate:
    """Requests a second: from one address or subject, and from all together."""

    each: int
    all: int


def setting(name: str) -> str:
    """The environment variable that sets this limit."""
    return f"LINLI_{name.upper()}"
