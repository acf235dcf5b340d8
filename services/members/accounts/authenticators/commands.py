"""Accepting one-time codes."""

from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import id_from
from services.chassis.usecase import Context, usecase
from services.members.accounts.authenticators import model
from services.members.accounts.authenticators.model import Authenticator, SignInWrong
from services.members.accounts.model import Account


@usecase(allow=SYSTEM)
async def accept_one_time_code(ctx: Context, account: Account, otp: str) -> Authenticator:
    """Accept a one-time code of the account's authenticator, once. SignInWrong."""
    async with ctx.store.change_or_create(Authenticator, id_from(Authenticator.entity_type, account.id)) as one:
        await ctx.vault.ensure_keys(account.subjects())
        secret = ctx.vault.open(account.totp, account.person_id, "totp") if account.totp else None
        if secret is None:
            raise SignInWrong
        model.accept(one, otp, secret, ctx.now())
    return one
