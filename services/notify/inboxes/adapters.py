"""The one change stream that rings the bells of a process."""

from services.chassis.ops import logs
from services.chassis.usecase import House
from services.notify.inboxes.model import COLLECTION, Bells

log = logs.get()

_WAIT_MS = 1_000


async def watch(house: House) -> None:
    """Ring for every change of an inbox; ends with the driver's error where the database goes away.

    Only ids travel; whoever is rung reads the inbox. All are rung when it begins, for what was missed before.
    """
    bells: Bells = house.parts[Bells]
    async with house.mongo.watch(COLLECTION, [{"$project": {"documentKey": 1}}], _WAIT_MS) as changes:
        change = await changes.try_next()  # the first look opens the stream
        bells.ring_all()
        log.info("the inboxes are watched")
        while True:
            if change is not None and "documentKey" in change:
                bells.ring(change["documentKey"]["_id"])
            change = await changes.try_next()
