"""How preferences are read."""

from typing import Self

from pydantic import BaseModel, Field

from services.chassis.domain.paging import Order
from services.chassis.usecase import Context, usecase
from services.notify.audience.model import SIGNED_IN
from services.notify.preferences.model import Preferences, preferences_id


class PreferencesView(BaseModel):
    """Somebody's own preferences."""

    channels: list[str] | None = Field(description="null as long as nothing was chosen: each notice has its usual ones")
    language: str = Field(examples=["zh"])
    quiet_from: str | None = Field(examples=["22:00"])
    quiet_to: str | None = Field(examples=["07:00"])
    email: str | None = Field(examples=["name@example.org"])

    @classmethod
    def of(cls, preferences: Preferences, ctx: Context) -> Self:
        """For the person themselves."""
        sealed = preferences.email
        return cls(
            channels=preferences.channels,
            language=preferences.language,
            quiet_from=preferences.quiet_from,
            quiet_to=preferences.quiet_to,
            email=None if sealed is None else ctx.vault.open(sealed, preferences.person_id, "email"),
        )


@usecase(allow=SIGNED_IN)
async def get_preferences(ctx: Context) -> Preferences:
    """Look at how you are notified."""
    person = ctx.person
    found = await ctx.store.find(Preferences, {"_id": preferences_id(person)}, order=Order("_id"), limit=1)
    return found[0] if found else Preferences.untouched(person)
