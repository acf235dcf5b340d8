"""Saying that a staff account and a resident are one person, by somebody who can sign in as both."""

from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role
from services.members.accounts.commands import link_person
from services.members.accounts.devices.queries import UserAgent
from services.members.accounts.model import Account
from services.members.accounts.networks.commands import ClientAddress
from services.members.accounts.sessions.commands import SignInStaff, as_new_sign_in, prove_staff


@usecase(allow=Role.RESIDENT)
async def link_staff_account(
    ctx: Context, cmd: SignInStaff, user_agent: UserAgent = None, address: ClientAddress = None
) -> Account:
    """Say, signed in with your phone, that a staff account is yours: with its login, password and one-time code.

    What you asked for as a resident, others of the staff do from then on. The account keeps its login, password and
    second factor; tokens that it got before are refused within seconds.
    """
    person, sign_in_ctx = ctx.person, as_new_sign_in(ctx)
    account = await prove_staff(sign_in_ctx, cmd, user_agent, address)
    return await link_person(sign_in_ctx.substep("link"), account.id, person)
