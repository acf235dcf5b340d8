"""The one change stream that rings the bells of a process."""

from services.chassis.storage.changes import Changes
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.notify.inboxes.model import COLLECTION, Bells

log = logs.get()

_WAIT_MS = 1_000


async def watch(container: Container) -> None:
    """Ring for every change of an inbox; ends with Unavailable where the database goes away.

    Only ids travel; whoever is rung reads the inbox. All are rung when it begins, for what was missed before.
    """
    bells: Bells = container.dependencies[Bells]
    async with container.mongo.session() as session:
        changes = Changes(container.mongo, session, [{"$project": {"documentKey": 1}}], COLLECTION)
        while True:
            found = await changes.come(_WAIT_MS)
            if found is None:
                bells.ring_all()
                log.info("the inboxes are watched")
            for change in found or ():
                if "documentKey" in change:
                    bells.ring(change["documentKey"]["_id"])
