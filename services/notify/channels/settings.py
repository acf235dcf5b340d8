"""The settings of channels: the SMS provider and the mail server."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FilePath, ValidationInfo, field_validator

from services.chassis.runtime.settings import PREFIX, Holds, OwnSettings

_TOGETHER = {"sms_secret_file": "sms_url", "smtp_password_file": "smtp_user"}


class ChannelSettings(OwnSettings):
    """How text messages and mail leave; a channel that is not set up sends nothing."""

    sms_spool: Path | None = Field(None, description="a folder that receives text messages instead of a provider")
    sms_url: str | None = Field(None, description="the address of the SMS provider's signed HTTP interface")
    sms_secret_file: Annotated[FilePath | None, Holds.PRIVATE] = Field(
        None, description="a file with the secret that signs calls to the SMS provider", validate_default=True
    )
    texts_per_day: int = Field(
        20,
        ge=1,
        description="text messages that one number gets in a day, besides urgent ones; the rest is in the inbox",
    )
    urgent_texts_per_day: int = Field(
        100, ge=1, description="urgent text messages that one number gets in a day: sign-in codes (20 at most), danger"
    )
    smtp: str | None = Field(None, description="host:port of the mail server; no mail is sent without it")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="encryption to the mail server; with starttls and tls nothing is sent unencrypted"
    )
    smtp_user: str | None = Field(None, description="the name to give to the mail server, where it wants one")
    smtp_password_file: Annotated[FilePath | None, Holds.PRIVATE] = Field(
        None, description="a file with the password for the mail server", validate_default=True
    )
    mail_from: str = Field("linli@localhost", description="the sender of mail")

    @field_validator("sms_secret_file", "smtp_password_file")
    @classmethod
    def _with_what_it_belongs_to(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        other = _TOGETHER[info.field_name or ""]
        if (file is None) != (info.data.get(other) is None):
            raise ValueError(f"set it and {PREFIX}{other.upper()}, or neither")
        return file
