"""The settings of forgetting: how long the words of a case are kept after its end."""

from typing import Annotated

from pydantic import AfterValidator, Field

from services.chassis.runtime.settings import OwnSettings

FIVE_YEARS = 1827
"""In days, with two leap days: after five years no court takes a suit against what an authority did.

Administrative Litigation Law of the People's Republic of China, article 46.
"""
LEAST = 30
"""In days. A case can be reopened for 15 days after its resolution: its words must not go before."""


def _never_or_long_enough(days: int) -> int:
    if 0 < days < LEAST:
        raise ValueError(f"set 0 for never, or at least {LEAST}: until then a case may be reopened")
    return days


class RetentionSettings(OwnSettings):
    """How long the city keeps the words of a case that is over."""

    case_term_days: Annotated[int, AfterValidator(_never_or_long_enough)] = Field(
        FIVE_YEARS,
        ge=0,
        description="after how many days the words of a case that is over are forgotten by themselves, also of cases "
        f"that ended before; 0: never. At least {LEAST}. It cannot be undone",
    )
