"""Whether one more code, or sign-in of staff, may be asked for from where a request comes, and in all."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, NamedTuple

from fastapi import Header

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import shaped
from services.chassis.storage.counters import Counters, Lately
from services.chassis.usecase import Context, usecase
from services.contracts.members.work import CLIENT_ADDRESS
from services.members.accounts.networks import model
from services.members.accounts.networks.metrics import held_back
from services.members.accounts.networks.model import Budget, Challenge, Demand, NoCodesNow
from services.members.accounts.networks.settings import NetworkSettings
from services.members.accounts.passwords.model import SignInBusy

ClientAddress = Annotated[str | None, Header(alias=CLIENT_ADDRESS, include_in_schema=False)]
"""Where a request came from. The gateway replaces what a client sends under this name; who reaches a service past the
gateway may write anything, so services listen where only the gateway comes."""

WorkDone = Annotated[
    str | None,
    shaped(
        r"^[0-9]{1,2}\.[0-9]{1,11}\.[0-9a-f]{1,64}\.[0-9]{1,20}$",
        "work-done",
        description="asked for where much was asked for (429 `work-or-wait`): the `challenge` of its `params`, a dot, "
        "and a number such that the SHA-256 of all that begins with `bits` zero bits",
    ),
]


class Asker(NamedTuple):
    """Who asks for what: within which budget, from which address, for which phone or login, and with which work."""

    budget: Budget
    address: str
    aim: str
    work: str | None
    cause: str
    """By which a repeat is known, which counts for nothing."""

    @property
    def bound(self) -> str:
        """What work is for."""
        return f"{self.budget.kind}|{model.network_of(self.address)}|{self.aim}"


class _Counted(NamedTuple):
    """A network of this name, how many wait for nothing there, and what was asked for from it lately."""

    name: str
    free: int
    lately: Lately


@asynccontextmanager
async def room_for_code(ctx: Context, address: str | None, number: str, work: str | None) -> AsyncIterator[None]:
    """Send a code to a phone in here. WorkOrWait, NoCodesNow; a repeat of the same request counts for nothing."""
    usual = ctx.dependency(NetworkSettings).codes_per_minute
    budget = Budget("codes", model.FREE_CODES, model.FREE_CODES_AROUND, usual, NoCodesNow)
    async with _room(ctx, Asker(budget, address or "", number, work, f"{ctx.cause}|{number}")):
        yield


@usecase(allow=SYSTEM)
async def expect_room_at_desks(ctx: Context, address: str | None, login: str, work: str | None) -> None:
    """Count a sign-in of staff by somebody who shows no device that is known. WorkOrWait, SignInBusy."""
    usual = ctx.dependency(NetworkSettings).staff_sign_ins_per_minute
    budget = Budget("staff", model.FREE_SIGN_INS, model.FREE_SIGN_INS_AROUND, usual, SignInBusy)
    async with _room(ctx, Asker(budget, address or "", login, work, ctx.cause)):
        pass


@asynccontextmanager
async def _room(ctx: Context, asker: Asker) -> AsyncIterator[None]:
    """Do what the budget allows in here.

    Of an address only a keyed hash is kept, another one each day, and for an hour. In all, only what was let through
    counts, so that nobody who is refused raises what is asked of others.
    """
    counters, now = Counters(ctx.container.mongo), ctx.now()
    minute = f"{asker.budget.kind}|{now:%Y%m%d%H%M}"
    is_first = await _is_first(ctx, counters, asker, load=await counters.number(minute))
    yield
    if is_first:
        await counters.up(minute, now + timedelta(minutes=2))


async def _is_first(ctx: Context, counters: Counters, asker: Asker, *, load: int) -> bool:
    """Whether this request was not let through before; it is counted by network, also where there is no room in all.

    Where another request was counted meanwhile (Conflict), the use case runs again and looks again.
    """
    settings, now = ctx.dependency(NetworkSettings), ctx.now()
    networks = [] if model.is_within(asker.address, settings.networks) else await _networks(ctx, counters, asker)
    passed, held = _blind(ctx, "cause", asker.cause), _blind(ctx, "held cause", asker.cause)
    fresh = [network for network in networks if passed not in network.lately.times]
    if networks and not fresh:
        return False
    with _counted(asker.budget.kind, "network"):
        for network in fresh:
            asked_at = [at for key, at in network.lately.times.items() if key != held]
            await _expect_done(ctx, counters, asker, model.by_network(asked_at, now, network.free))
    try:
        with _counted(asker.budget.kind, "all"):
            await _expect_done(ctx, counters, asker, model.by_load(load + 1, asker.budget, now))
    except Refusal:
        await _note(ctx, counters, fresh, held, held=held)
        raise
    await _note(ctx, counters, fresh, passed, held=held)
    return True


async def _networks(ctx: Context, counters: Counters, asker: Asker) -> list[_Counted]:
    """What was asked for lately from a network, and from the one around it."""
    budget, network, now = asker.budget, model.network_of(asker.address), ctx.now()
    around = [(network, budget.free), *((wide, budget.free_around) for wide in model.around(network))]
    names = [(f"network|{_blind(ctx, 'network', f'{budget.kind}|{one}|{now:%Y%m%d}')}", free) for one, free in around]
    return [_Counted(name, free, await counters.lately(name, now - model.SPAN)) for name, free in names]


async def _note(ctx: Context, counters: Counters, networks: list[_Counted], cause: str, *, held: str) -> None:
    """Note this request with the latest others, once: what was noted when it was held back goes."""
    for network in networks:
        others = [(key, at) for key, at in network.lately.times.items() if key != held]
        before = replace(network.lately, times=dict(others[-model.kept(network.free) :]))
        await counters.note(network.name, before, cause, ctx.now(), ctx.now() + model.SPAN)


async def _expect_done(ctx: Context, counters: Counters, asker: Asker, demand: Demand) -> None:
    """WorkOrWait with a challenge that is bound to what is asked for and to a time: nothing is kept of it."""
    if demand.bits and not await _is_worked(ctx, counters, asker, demand.bits):
        blank = Challenge(demand.bits, ctx.now() + model.GOOD_FOR, "")
        raise model.refused(demand, blank._replace(mark=_mark(ctx, asker, blank)))


async def _is_worked(ctx: Context, counters: Counters, asker: Asker, bits: int) -> bool:
    """Whether so much work was done for this, from this network, and for no request before."""
    challenge = Challenge.parse(asker.work or "")
    if asker.work is None or challenge is None or challenge.bits < bits:
        return False
    if not model.counts(asker.work, challenge, _mark(ctx, asker, challenge), ctx.now()):
        return False
    return await counters.among(f"work|{challenge.mark}", _blind(ctx, "cause", ctx.cause), 1, challenge.until)


@contextmanager
def _counted(kind: str, because: str) -> Iterator[None]:
    try:
        yield
    except Refusal:
        held_back.labels(kind, because).inc()
        raise


def _mark(ctx: Context, asker: Asker, challenge: Challenge) -> str:
    return _blind(ctx, "work", f"{asker.bound}|{challenge.bound}")


def _blind(ctx: Context, kind: str, value: str) -> str:
    return ctx.vault.master.blind(f"code {kind}", value)
