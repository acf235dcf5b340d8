"""Rate limits of the gateway, for public routes and for signed-in subjects: the settings, and their routes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError

# `linli seed` acts as this subject, with a token that it signs itself; with the signing key anybody could.
OPERATOR = "operator-of-the-stack"
# How many addresses, or subjects, a limit tells apart. The least recently seen is forgotten, with a full bucket.
MOST_COUNTED = 10_000


class LimitUnfit(Exception):
    """A limit is not a number; the text says which one and what to give."""


class Limits(BaseModel):
    """Requests a second that pass, with a burst of two seconds; the rest is 429. The setting is LINLI_ and the name."""

    model_config = ConfigDict(frozen=True)

    # One address is often many people: a mobile network, a service hall, the hotline.
    sign_in_rate: PositiveInt = Field(100, description="requests a second to /v1/sign-in from one address; 429 above")
    sign_in_rate_all: PositiveInt = Field(500, description="requests a second to /v1/sign-in from all together")
    # Each of these costs the hash of a password.
    staff_sign_in_rate: PositiveInt = Field(
        5, description="sign-ins of staff (POST /v1/sign-in/staff) a second from one address; 429 above"
    )
    staff_sign_in_rate_all: PositiveInt = Field(50, description="sign-ins of staff a second from all together")
    # At this rate, guessing one code in 16 million takes ten days for one number.
    track_rate: PositiveInt = Field(10, description="requests a second to /v1/track from one address; 429 above")
    track_rate_all: PositiveInt = Field(200, description="requests a second to /v1/track from all together")
    suggest_rate: PositiveInt = Field(
        100, description="requests a second to /v1/catalogue/suggest from one address; 429 above"
    )
    suggest_rate_all: PositiveInt = Field(
        1000, description="requests a second to /v1/catalogue/suggest from all together"
    )
    # A busy desk sends ten requests a second while a page opens; this is more, for scripts that wait for answers.
    subject_rate: PositiveInt = Field(
        100,
        description="requests a second of one who is signed in, on all routes together, twice that at once; 429 above",
    )
    operator_rate: PositiveInt = Field(
        5000, description=f"the same for `{OPERATOR}`, who holds the signing key: `linli seed`"
    )
    # A hotline, or another system that files for many people, is one subject.
    filing_rate: PositiveInt = Field(
        30, description="requests that one who is signed in may file (POST /v1/requests) a second; 429 above"
    )
    filing_rate_all: PositiveInt = Field(2000, description="requests that all who are signed in may file a second")
    # More is not work at a desk but bulk export of personal data.
    people_rate: PositiveInt = Field(
        30, description="requests a second to /v1/people of one who is signed in, to read and to write each; 429 above"
    )
    people_rate_all: PositiveInt = Field(
        1000, description="requests a second to /v1/people of all who are signed in, to read and to write each"
    )
    # After a restart of the gateway, all streams are opened again at once.
    stream_rate: PositiveInt = Field(
        5, description="live streams (/v1/inbox/stream) that one who is signed in may open a second; 429 above"
    )
    stream_rate_all: PositiveInt = Field(2000, description="live streams that all who are signed in may open a second")

    trusted_hops: NonNegativeInt = Field(
        0,
        description="proxies of ours in front of the gateway (a load balancer) that note the client's address in "
        "X-Forwarded-For; what others note there counts for nothing",
    )

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The limits of the settings; LimitUnfit if one is not a number of requests."""
        asked = {name: given[setting(name)] for name in cls.model_fields if given.get(setting(name))}
        try:
            return cls.model_validate(asked)
        except ValidationError as error:
            field = str(error.errors()[0]["loc"][0])
            usual = cls.model_fields[field].default
            raise LimitUnfit(f"{setting(field)} is {asked[field]!r}: give a number, such as {usual}.") from None

    def of_public_routes(self) -> dict[str, "Rate"]:
        """The limits of public routes, by address."""
        return {
            "/v1/sign-in": Rate(self.sign_in_rate, self.sign_in_rate_all),
            "POST /v1/sign-in/staff": Rate(self.staff_sign_in_rate, self.staff_sign_in_rate_all),
            "/v1/track": Rate(self.track_rate, self.track_rate_all),
            "POST /v1/catalogue/suggest": Rate(self.suggest_rate, self.suggest_rate_all),
        }

    def of_subjects(self) -> dict[str, "Rate"]:
        """The limits of expensive or sensitive routes, by subject."""
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
