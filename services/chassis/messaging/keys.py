"""Keys, as the services that mint them send them round: each service keeps those that it has not made itself."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from services.chassis.domain.entity import Entity
from services.chassis.domain.values import now
from services.chassis.messaging.erasures import sweeps
from services.chassis.messaging.kafka import Incoming, Reader
from services.chassis.messaging.retry import retry_forever
from services.chassis.storage.sealing import Tampered
from services.chassis.storage.vault import Vault
from services.chassis.telemetry import logs

log = logs.get()

_WAIT_MS = 1_000  # a poll ends as soon as a key arrives
_CONFIRM_SECONDS = 1.0
"""How often what was kept is confirmed. After each poll it would cost as much as the poll; what comes again is kept as
it is."""

Forget = Callable[[Sequence[str]], Awaitable[None]]


async def nothing_else(_: Sequence[str]) -> None:
    """For services without a search in sealed fields: there is nothing to remove."""


class KeyKeeper:
    """Reads the compacted topic of keys: the last record of a subject counts; an empty one means erased, for good."""

    def __init__(
        self,
        vault: Vault,
        reader: Reader,
        own: Sequence[type[Entity[Any]]] = (),
        forget: Forget = nothing_else,
    ) -> None:
        """``own``: the kinds whose keys are this service's own. Their documents hold them, and nothing else may.

        A copy would outlive the key that is forgotten. ``forget`` removes the blind search tokens of erased
        people.
        """
        self._vault = vault
        self._forget = forget
        self._reader = reader
        self._own = tuple(f"{kind.entity_type}_" for kind in own)

    async def run(self) -> None:
        """Run until cancelled, even while the database is away."""
        unconfirmed, confirmed, generation = dict[int, Incoming](), time.monotonic(), -1
        while True:
            # The records of a person are all in one partition, in order.
            records = [record for some in await self._reader.poll(_WAIT_MS) for record in some]
            await retry_forever(partial(self._keep, records))
            if generation != self._reader.generation():  # then each partition is read again from what is confirmed
                unconfirmed, generation = {}, self._reader.generation()
            unconfirmed |= {record.partition: record for record in records}
            if unconfirmed and time.monotonic() > confirmed + _CONFIRM_SECONDS:
                await retry_forever(partial(self._reader.commit, list(unconfirmed.values())))
                unconfirmed, confirmed = {}, time.monotonic()

    async def _keep(self, records: Sequence[Incoming]) -> None:
        try:
            others = _last([record for record in records if not record.key.startswith(self._own)])
            await self._vault.keep(others, sweeps(now()) if self._own else ())
            await self._forget([subject for subject, wrapped in others.items() if wrapped is None])
        except Tampered as error:
            if len(records) > 1:
                for record in records:
                    await self._keep([record])
                return
            # A key that our master key does not unwrap must not replace one that it does.
            log.error("a key is not ours and is passed over", offset=records[0].offset, reason=str(error))


def _last(records: Sequence[Incoming]) -> dict[str, bytes | None]:
    """The effective record of each subject: erased if any record says so, else the last."""
    erased = {record.key for record in records if record.value is None}
    return {record.key: None if record.key in erased else record.value for record in records}
