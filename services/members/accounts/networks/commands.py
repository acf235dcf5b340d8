"""Whether one more code may be asked for from where a request comes, and in all."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, NamedTuple

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


class _Counted(NamedTuple):
    """A network of this name, how many codes wait for nothing there, and what was asked for from it lately."""

    name: str
    free: int
    lately: Lately


@asynccontextmanager
async def room_for_code(ctx: Context, address: str | None, number: str, work: str | None) -> AsyncIterator[None]:
    """Send a code to a phone in here. WorkOrWait, NoCodesNow; a repeat of the same request counts for nothing.

    Of an address only a keyed hash is kept, another one each day, and for an hour. In all, only codes that are sent
    count, so that nobody who is refused raises what is asked of others.
    """
    counters, now = Counters(ctx.container.mongo), ctx.now()
    minute = f"codes|{now:%Y%m%d%H%M}"
    is_first = await _is_first(ctx, counters, address, number, work, load=await counters.number(minute))
    yield
    if is_first:
        await counters.up(minute, now + timedelta(minutes=2))


async def _is_first(
    ctx: Context, counters: Counters, address: str | None, number: str, work: str | None, *, load: int
) -> bool:
    """Whether this request was not let through before; it is counted by network, also where there is no room in all.

    Where another request was counted meanwhile (Conflict), the use case runs again and looks again.
    """
    settings, now, cause = ctx.dependency(NetworkSettings), ctx.now(), f"{ctx.cause}|{number}"
    bound = (model.network_of(address or ""), number)
    networks = [] if model.is_within(address or "", settings.networks) else await _networks(ctx, counters, bound[0])
    passed, held = _blind(ctx, "cause", cause), _blind(ctx, "held cause", cause)
    fresh = [network for network in networks if passed not in network.lately.times]
    if networks and not fresh:
        return False
    with _counted("network"):
        for network in fresh:
            asked_at = [at for key, at in network.lately.times.items() if key != held]
            await _expect_done(ctx, counters, bound, work, model.by_network(asked_at, now, network.free))
    try:
        with _counted("all"):
            demand = model.by_load(load + 1, settings.codes_per_minute, now)
            await _expect_done(ctx, counters, bound, work, demand)
    except Refusal:
        await _note(ctx, counters, fresh, held, held=held)
        raise
    await _note(ctx, counters, fresh, passed, held=held)
    return True


async def _networks(ctx: Context, counters: Counters, network: str) -> list[_Counted]:
    """What was asked for lately from a network, and from the one around it."""
    now, around = ctx.now(), [(network, model.FREE), *((wide, model.FREE_AROUND) for wide in model.around(network))]
    names = [(f"network|{_blind(ctx, 'network', f'{one}|{now:%Y%m%d}')}", free) for one, free in around]
    return [_Counted(name, free, await counters.lately(name, now - model.SPAN)) for name, free in names]


async def _note(ctx: Context, counters: Counters, networks: list[_Counted], cause: str, *, held: str) -> None:
    """Note this request with the latest others, once: what was noted when it was held back goes."""
    for network in networks:
        others = [(key, at) for key, at in network.lately.times.items() if key != held]
        before = replace(network.lately, times=dict(others[-model.kept(network.free) :]))
        await counters.note(network.name, before, cause, ctx.now(), ctx.now() + model.SPAN)


async def _expect_done(
    ctx: Context, counters: Counters, bound: tuple[str, str], work: str | None, demand: Demand
) -> None:
    """WorkOrWait with a challenge that is bound to network, phone and time: nothing is kept of it."""
    if demand.bits and not await _is_worked(ctx, counters, bound, work, demand.bits):
        blank = Challenge(demand.bits, ctx.now() + model.GOOD_FOR, "")
        raise model.refused(demand, blank._replace(mark=_mark(ctx, bound, blank)))


async def _is_worked(ctx: Context, counters: Counters, bound: tuple[str, str], work: str | None, bits: int) -> bool:
    """Whether so much work was done for a code from this network to this phone, and for no request before."""
    challenge = Challenge.parse(work or "")
    if work is None or challenge is None or challenge.bits < bits:
        return False
    if not model.counts(work, challenge, _mark(ctx, bound, challenge), ctx.now()):
        return False
    return await counters.among(f"work|{challenge.mark}", _blind(ctx, "cause", ctx.cause), 1, challenge.until)


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
