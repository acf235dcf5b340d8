"""The settings of accounts: the keys that sign tokens."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.chassis.runtime.settings import Holds, OwnSettings


class TokenSettings(OwnSettings):
    """Where the keys are that sign tokens; only the web signs."""

    token_keys: Annotated[Path | None, Holds.SIGNING_KEYS] = Field(
        None, description="the folder of Ed25519 keys (*.pem) that sign tokens; members only"
    )
