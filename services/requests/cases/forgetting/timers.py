"""Cases that are forgotten in the background, each by itself: when their term is over, and those of the erased."""

from datetime import timedelta
from functools import partial

from services.chassis.messaging import erasures
from services.chassis.schedule.scheduler import Periodic
from services.chassis.schedule.timers import Timer
from services.chassis.usecase import Container
from services.requests.cases.forgetting import commands
from services.requests.cases.model import Case, Retention

_NAME = "forget-erased"
_EVERY = 60.0  # nobody waits for the end of a term of years


def _term(container: Container) -> timedelta | None:
    retention: Retention = container.dependencies[Retention]
    return retention.term


forget_over = Timer("forget-over", Case, "retained_since", commands.forget_over, _EVERY, _term)


async def forget_cases_of(container: Container, person: str) -> int:
    """Forget all cases of a person that are not forgotten yet; how many. Unavailable."""
    count = 0
    where = Case.where(resident_id=person, forgotten=None)
    async for documents in container.mongo.each(Case.collection(), where, {"_id": 1}):
        for document in documents:
            ctx = container.system_context(_NAME, f"erasure:{person}")
            await commands.forget_of_erased(ctx, document["_id"])
            count += 1
    return count


forget_erased = Periodic(_NAME, partial(erasures.sweep, forget_cases_of), erasures.EVERY)
