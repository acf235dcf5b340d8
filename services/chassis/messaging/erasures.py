"""Erasures: what a service keeps of a person under keys of its own goes when that person's key is gone."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.chassis.storage import vault
from services.chassis.telemetry import logs
from services.chassis.usecase import Container

log = logs.get()

Forgetting = Callable[[Container, str], Awaitable[int]]
"""Forget all that is kept of a person; how much that was. It must find what a first run left undone."""

_AGAIN_AFTER = timedelta(minutes=3)
EVERY = 1.0
"""How often, in seconds, it is looked whether a sweep is due."""
_BATCH = 100


def sweeps(at: datetime) -> tuple[datetime, datetime]:
    """When to look for what is kept of a person who was erased at ``at``: at once, and once more.

    A use case may trust a key that it has seen for another minute: what it writes in that time is found by the second.
    """
    return at, at + _AGAIN_AFTER


async def sweep(forget: Forgetting, container: Container) -> int:
    """Forget what is kept of people whose sweep is due; how many people. Unavailable: the next round does the rest."""
    now = container.clock()
    due = await container.mongo.find(vault.COLLECTION, {"sweeps": {"$lte": now}}, show={"_id": 1}, limit=_BATCH)
    for key in due:
        person = key["_id"]
        log.info("what was kept of an erased person is forgotten", count=await forget(container, person))
        await container.mongo.update(vault.COLLECTION, {"_id": person}, {"$pull": {"sweeps": {"$lte": now}}})
    return len(due)
