"""The settings of passwords: how many are hashed at once, and how many wait for it."""

from pydantic import Field

from services.chassis.runtime.settings import OwnSettings


class PasswordSettings(OwnSettings):
    """How much of the machine the hashing of passwords takes."""

    hashing_threads: int = Field(
        1,
        ge=1,
        le=8,
        description="passwords that one process hashes at once, each on one core for about 25 ms; members only",
    )
    hashing_queue: int = Field(
        16,
        ge=1,
        description="passwords that wait for a thread in one process, a quarter of the places for known devices; where "
        "they are taken, signing in as staff is refused with 429 `sign-in-busy`; members only",
    )
