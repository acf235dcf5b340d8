"""How preferences react: the language of a first sign-in is kept."""

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.usecase import Context
from services.contracts.members.accounts import AccountOpened
from services.notify.preferences.commands import keep_language


@reaction("keep-language", AccountOpened, when=lambda event: event.language is not None)
async def keep_language_of_sign_in(ctx: Context, _: Delivered, event: AccountOpened) -> None:
    """Write to somebody in the language in which they first signed in, until they choose another."""
    assert event.language is not None
    await keep_language(ctx, event.person_id, event.language)
