"""The one change stream from which a process notifies the subscribers of its inboxes."""

from services.chassis.storage.changes import Changes
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.notify.inboxes.model import COLLECTION, InboxSubscribers

log = logs.get()

_WAIT_MS = 1_000


async def watch(container: Container) -> None:
    """Notify the subscribers of each inbox that changes; ends with Unavailable where the database goes away.

    Only ids travel: a subscriber reads its inbox. At the start all are notified, because of changes missed before.
    """
    subscribers: InboxSubscribers = container.dependencies[InboxSubscribers]
    async with container.mongo.session() as session:
        changes = Changes(container.mongo, session, [{"$project": {"documentKey": 1}}], COLLECTION)
        while True:
            found = await changes.come(_WAIT_MS)
            if found is None:
                subscribers.notify_all()
                log.info("the inboxes are watched")
            for change in found or ():
                if "documentKey" in change:
                    subscribers.notify(change["documentKey"]["_id"])
