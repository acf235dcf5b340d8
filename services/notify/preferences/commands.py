"""What can be done with preferences."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import shaped
from services.chassis.domain.words import DEFAULT
from services.chassis.guards import visible
from services.chassis.usecase import Command, Context, usecase
from services.contracts.notify.messages import Via
from services.contracts.notify.preferences import PreferencesSet
from services.notify.audience.model import SIGNED_IN
from services.notify.preferences import model
from services.notify.preferences.model import Preferences, preferences_id

Clock = Annotated[str, shaped(r"^([01]\d|2[0-3]):[0-5]\d$", "time-of-day", examples=["22:00"])]
Email = Annotated[
    str,
    shaped(
        r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}$",
        "email",
    ),
]


class SetPreferences(Command):
    """The new preferences; what is left out is off."""

    channels: Annotated[
        list[Via],
        Field(
            max_length=3,
            description="`sms` carries what is worth a text message, `email` everything; the inbox is always there",
        ),
    ]
    language: Annotated[str, Field(max_length=35, examples=["zh"], description="one that there are texts in")] = DEFAULT
    quiet_from: Annotated[Clock | None, Field(description="nothing but urgent things is sent from then…")] = None
    quiet_to: Annotated[Clock | None, Field(description="…until then, by the clock of the city")] = None
    email: Email | None = None


@usecase(allow=SIGNED_IN, within=visible)
async def set_preferences(ctx: Context, cmd: SetPreferences) -> Preferences:
    """Choose channels, language and quiet hours."""
    person = ctx.person
    async with ctx.store.change_or_create(Preferences, preferences_id(person)) as preferences:
        await ctx.vault.ensure_keys([person])
        model.expect_language(cmd.language, ctx.container.texts.languages)
        model.choose(preferences, _chosen(ctx, person, cmd))
    return preferences


@usecase(allow=SYSTEM)
async def keep_language(ctx: Context, person: str, language: str) -> Preferences:
    """Keep the language in which somebody signed in for the first time."""
    async with ctx.store.change_or_create(Preferences, preferences_id(person)) as preferences:
        model.keep_language(preferences, person, language)
    return preferences


def _chosen(ctx: Context, person: str, cmd: SetPreferences) -> PreferencesSet:
    return PreferencesSet(
        person_id=person,
        channels=sorted({Via.INBOX, *cmd.channels}),
        language=cmd.language,
        quiet_from=cmd.quiet_from,
        quiet_to=cmd.quiet_to,
        email=ctx.vault.seal(cmd.email, person, "email") if cmd.email else None,
    )
