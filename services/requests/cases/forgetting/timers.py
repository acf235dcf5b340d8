"""Cases that are forgotten in the background, each by itself: when their term is over, and those of the erased."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging import erasures
from services.chassis.messaging.erasures import Unforgotten
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.storage.mongo import Document
from services.chassis.telemetry import logs
from services.chassis.usecase import Container, Context
from services.requests.cases.clocks.model import Retention
from services.requests.cases.following.commands import leave_erased
from services.requests.cases.forgetting import commands
from services.requests.cases.model import Case

log = logs.get()

_NAME = "forget-erased"
_EVERY = 60.0  # nobody waits for the end of a term of years


def _term(container: Container) -> timedelta | None:
    retention: Retention = container.dependencies[Retention]
    return retention.term


forget_over = Timer("forget-over", Case, "retained_since", commands.forget_over, _EVERY, _term)


async def forget_person(container: Container, person: str) -> int:
    """Forget all cases of a person that are not forgotten yet, and let them follow none; how many they were.

    Unavailable; Unforgotten where some are left.
    """
    own, followed = Case.where(resident_id=person, forgotten=None), Case.where(followers=person)
    forgotten, failed = await _each(container, own, person, commands.forget_of_erased)
    left, failed_too = await _each(container, followed, person, partial(leave_erased, person=person))
    if failed + failed_too:
        raise Unforgotten(f"{failed + failed_too} cases are left, {forgotten + left} are done")
    return forgotten + left


async def _each(
    container: Container, where: Document, person: str, work: Callable[[Context, str], Awaitable[Case]]
) -> tuple[int, int]:
    """How many cases it was done with, and with how many it failed."""
    done = failed = 0
    async for documents in container.mongo.each(Case.collection(), where, {"_id": 1}):
        for document in documents:
            ctx = container.system_context(_NAME, f"erasure:{person}")
            try:
                await work(ctx, document["_id"])
                done += 1
            except Unavailable:
                raise
            except Exception:
                failed += 1
                log.exception("a case of an erased person is not forgotten; the others go on", case=document["_id"])
    return done, failed


forget_erased = Periodic(_NAME, partial(erasures.sweep, forget_person), erasures.EVERY)
