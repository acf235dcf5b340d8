"""Devices that are known: who signed in with one gets a proof, which nobody can forge and nothing is kept of.

After OWASP's device cookies: attempts with a proof are counted by device, and what strangers do never locks those.
"""

import hmac
from typing import Annotated

from fastapi import Header

from services.chassis.domain.values import in_milliseconds
from services.chassis.usecase import Command, Context
from services.members.accounts.devices.model import DeviceId, DeviceProof, Proof, SignInDevice
from services.members.accounts.model import Account

UserAgent = Annotated[
    str | None, Header(description="what the device calls itself: shown to its owner beside the session, and sealed")
]


class FromDevice(Command):
    """What a client keeps of its device: an id that it made, and the proof that it got."""

    device: DeviceId | None = None
    device_proof: DeviceProof | None = None


def index_of(ctx: Context, account_id: str, device: SignInDevice) -> str:
    """The blind index of a device of an account."""
    return ctx.vault.master.blind("device", f"{account_id}|{device.identity}")


def proof_of(ctx: Context, account: Account, index: str) -> str:
    """The proof of a device, given now."""
    blank = Proof(in_milliseconds(ctx.now()), "")
    return str(blank._replace(mark=_mark(ctx, account, index, blank)))


def known_device(ctx: Context, account: Account | None, agent: str | None, shown: FromDevice) -> str | None:
    """The blind index of a device that proves to have been signed in with this account; None for every stranger."""
    if account is None or shown.device_proof is None:
        return None
    index = index_of(ctx, account.id, SignInDevice.of(agent, shown.device))
    proof = Proof.parse(shown.device_proof)
    is_ours = hmac.compare_digest(_mark(ctx, account, index, proof), proof.mark)
    return index if is_ours and proof.counts(account.devices_since, ctx.now()) else None


def _mark(ctx: Context, account: Account, index: str, proof: Proof) -> str:
    """Bound to account, device and time, and to the password: another one ends it."""
    return ctx.vault.master.blind("device proof", f"{account.id}|{index}|{proof.at}|{account.password_hash or ''}")
