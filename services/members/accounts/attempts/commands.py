"""Counting failed attempts. They are kept for an hour and name nobody: a login may be anything that somebody typed."""

from dataclasses import replace
from typing import NamedTuple

from services.chassis.domain.values import EVER
from services.chassis.storage.counters import Counters, Lately
from services.chassis.usecase import Context
from services.members.accounts.attempts import model
from services.members.accounts.attempts.metrics import refused


class Attempts(NamedTuple):
    """Whose failed attempts are counted together."""

    name: str
    by: str
    """``strangers`` or ``device``."""


def at_login(ctx: Context, login: str, device: str | None) -> Attempts:
    """Those of a known device (its blind index), or those of all strangers at a login, whether there is such a one or
    not."""
    if device is not None:
        return Attempts(f"attempts|device|{device}", "device")
    return Attempts(f"attempts|login|{ctx.vault.master.blind('login', login)}", "strangers")


async def expect_unlocked(ctx: Context, attempts: Attempts) -> None:
    """TooManyAttempts while they are locked."""
    await _unlocked(ctx, attempts)


async def count_failed(ctx: Context, attempts: Attempts) -> None:
    """Count one more. TooManyAttempts where others have locked them meanwhile, Conflict where another one failed at
    this moment."""
    before = await _unlocked(ctx, attempts)
    refused.labels("staff", "wrong").inc()
    await Counters(ctx.container.mongo).note(attempts.name, before, _cause(ctx), ctx.now(), ctx.now() + model.QUIET)


async def forget(ctx: Context, attempts: Attempts) -> None:
    """Begin to count from nothing again, after the right credentials."""
    await Counters(ctx.container.mongo).forget(attempts.name)


async def _unlocked(ctx: Context, attempts: Attempts) -> Lately:
    lately = await Counters(ctx.container.mongo).lately(attempts.name, EVER)
    counting = model.in_a_row(tuple(lately.times.values()), ctx.now())
    try:
        model.expect_unlocked(counting, ctx.now())
    except model.TooManyAttempts:
        refused.labels("staff", attempts.by).inc()
        raise
    return replace(lately, times={key: at for key, at in lately.times.items() if at in counting})


def _cause(ctx: Context) -> str:
    return ctx.vault.master.blind("attempt", ctx.cause)
