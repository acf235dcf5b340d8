"""Erasures: what a service keeps of a person under keys of its own goes when that person's key is gone."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage import vault
from services.chassis.storage.mongo import Document
from services.chassis.telemetry import logs
from services.chassis.usecase import Container

log = logs.get()

Forgetting = Callable[[Container, str], Awaitable[int]]
"""Forget all that is kept of a person; how much that was. It must find what a first run left undone.

Unforgotten where some of it cannot be forgotten; the rest is then forgotten all the same.
"""

_AGAIN_AFTER = timedelta(minutes=3)
EVERY = 1.0
"""How often, in seconds, it is looked whether a sweep is due."""
_BATCH = 100


class Unforgotten(Exception):
    """Some of what is kept of a person cannot be forgotten yet."""


def sweeps(at: datetime) -> tuple[datetime, datetime]:
    """When to look for what is kept of a person who was erased at ``at``: at once, and once more.

    A use case may trust a key that it has seen for another minute: what it writes in that time is found by the second.
    """
    return at, at + _AGAIN_AFTER


async def sweep(forget: Forgetting, container: Container) -> int:
    """Forget what is kept of people whose sweep is due; how many people. Unavailable: the next round does the rest.

    A person for whom it fails keeps the others from nothing: that sweep is due again after three minutes.
    """
    now = container.clock()
    due = await container.mongo.find(vault.COLLECTION, {"sweeps": {"$lte": now}}, show={"_id": 1}, limit=_BATCH)
    for key in due:
        person = key["_id"]
        done: Document = {"$pull": {"sweeps": {"$lte": now}}}
        try:
            log.info("what was kept of an erased person is forgotten", count=await forget(container, person))
        except Unavailable:
            raise
        except Exception:
            log.exception("an erased person is not forgotten yet; it is tried again, the others go on", person=person)
            done = {"$set": {"sweeps": [now + _AGAIN_AFTER]}}  # later than any noted one, and behind the others
        await container.mongo.update(vault.COLLECTION, {"_id": person}, done)
    return len(due)
