"""Bells: who waits at which inbox in this process, and the one change stream that rings them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.domain.refusals import Busy
from services.chassis.ops import logs
from services.chassis.usecase import House
from services.notify.inboxes.model import COLLECTION

log = logs.get()

_MOST = 5_000
_WAIT_MS = 1_000


class Bells:
    """A bell for everybody who waits. However often it rings, who hears it reads once: nothing can pile up."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._count = 0
        self._hung: dict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def count(self) -> int:
        """How many wait."""
        return self._count

    def expect_room(self) -> None:
        """Busy where as many wait as this process can serve."""
        if self._count >= self._most:
            raise Busy(retry_after=5)

    @contextmanager
    def hung(self, person: str) -> Iterator[asyncio.Event]:
        """A bell at a person's inbox, taken down at the end."""
        bell = asyncio.Event()
        self._hung[person].add(bell)
        self._count += 1
        try:
            yield bell
        finally:
            self._count -= 1
            self._hung[person].discard(bell)
            if not self._hung[person]:
                del self._hung[person]

    def ring(self, person: str) -> None:
        """Something changed in this inbox."""
        for bell in self._hung.get(person, ()):
            bell.set()

    def ring_all(self) -> None:
        """Something may have changed in any inbox."""
        for person in self._hung:
            self.ring(person)


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
