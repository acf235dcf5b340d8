"""The settings of people: when a phone may have another owner."""

from pydantic import Field

from services.chassis.runtime.settings import OwnSettings


class PhoneSettings(OwnSettings):
    """How long a phone may be silent."""

    phone_silent_days: float = Field(
        90,
        gt=0,
        description="after so many days without a sign-in, who signs in with a phone shows that it is still theirs, or "
        "starts anew: mobile operators give numbers to others after about three months; members only",
    )
