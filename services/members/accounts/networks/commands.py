"""Whether one more code may be asked for from where a request comes, and in all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import Header

from services.chassis.domain.refusals import Refusal
from services.chassis.storage.counters import Counters, Lately
from services.chassis.usecase import Context
from services.contracts.members.work import CLIENT_ADDRESS
from services.members.accounts.networks import model
from services.members.accounts.networks.metrics import held_back
from services.members.accounts.networks.model import Challenge, Demand
from services.members.accounts.networks.settings import NetworkSettings

ClientAddress = Annotated[str | None, Header(alias=CLIENT_ADDRESS, include_in_schema=False)]
"""Where a request came from. The gateway replaces what a client sends under this name; who reaches a service past the
gateway may write anything, so services listen where only the gateway comes."""

_NOTHING = Lately(0, {})


async def expect_room(ctx: Context, address: str | None, number: str, work: str | None) -> None:
    """Count a code for a phone. WorkOrWait, NoCodesNow; nothing for a repeat of the same request.

    Of an address only a keyed hash is kept, another one each day, and for an hour. The count of the network is written
    last: where another was counted meanwhile (Conflict), the use case runs again and looks again.
    """
    counters, settings, now = Counters(ctx.container.mongo), ctx.dependency(NetworkSettings), ctx.now()
    network, cause = model.network_of(address or ""), _blind(ctx, "cause", ctx.cause)
    name = f"network|{_blind(ctx, 'network', f'{network}|{now:%Y%m%d}')}"
    known = model.is_within(network, settings.networks)
    before = _NOTHING if known else await counters.lately(name, now - model.SPAN)
    if cause in before.times:
        return
    bound = (network, number)
    worked = await _is_worked(ctx, counters, bound, work)
    with _counted("network"):
        _expect_done(ctx, bound, model.by_network([*before.times.values()], now), worked=worked)
    with _counted("all"):
        load = await counters.up(f"codes|{now:%Y%m%d%H%M}", now + timedelta(minutes=2))
        _expect_done(ctx, bound, model.by_load(load, settings.codes_per_minute, now), worked=worked)
    if not known:
        await counters.note(name, before, cause, now, now + model.SPAN)


async def _is_worked(ctx: Context, counters: Counters, bound: tuple[str, str], work: str | None) -> bool:
    """Whether work was done for a code from this network to this phone, and for no request before."""
    challenge = Challenge.parse(work or "")
    if work is None or challenge is None or not model.counts(work, challenge, _mark(ctx, bound, challenge), ctx.now()):
        return False
    return await counters.among(f"work|{challenge.mark}", _blind(ctx, "cause", ctx.cause), 1, challenge.until)


def _expect_done(ctx: Context, bound: tuple[str, str], demand: Demand, *, worked: bool) -> None:
    """WorkOrWait with a challenge that is bound to network, phone and time: nothing is kept of it."""
    if demand.bits and not worked:
        blank = Challenge(demand.bits, ctx.now() + model.GOOD_FOR, "")
        raise model.refused(demand, blank._replace(mark=_mark(ctx, bound, blank)))


@contextmanager
def _counted(because: str) -> Iterator[None]:
    try:
        yield
    except Refusal:
        held_back.labels(because).inc()
        raise


def _mark(ctx: Context, bound: tuple[str, str], challenge: Challenge) -> str:
    return _blind(ctx, "work", "|".join((*bound, challenge.bound)))


def _blind(ctx: Context, kind: str, value: str) -> str:
    return ctx.vault.master.blind(f"code {kind}", value)
