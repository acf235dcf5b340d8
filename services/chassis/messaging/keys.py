"""The keys of people, as the service that mints them sends them round: kept in every other service."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from services.chassis.messaging.kafka import Incoming, Reader
from services.chassis.messaging.retry import retry_forever
from services.chassis.storage.vault import Tampered, Vault
from services.chassis.telemetry import logs

log = logs.get()

Forget = Callable[[Sequence[str]], Awaitable[None]]


class KeyKeeper:
    """Reads the compacted topic of keys: the last record of a subject counts, an empty one means erased, for good."""

    def __init__(self, vault: Vault, reader: Reader, forget: Forget) -> None:
        """``forget`` takes away what else is found by the data of people whose keys are gone."""
        self._vault = vault
        self._forget = forget
        self._reader = reader

    async def run(self) -> None:
        """Go on until cancelled, also while the database is away."""
        while True:
            for records in await self._reader.poll(wait_ms=250):
                await retry_forever(partial(self._keep, records))

    async def _keep(self, records: Sequence[Incoming]) -> None:
        try:
            keys = _last(records)
            await self._vault.keep(keys)
            await self._forget([subject for subject, wrapped in keys.items() if wrapped is None])
        except Tampered as error:
            if len(records) > 1:
                for record in records:
                    await self._keep([record])
                return
            # A key that our master key does not open must not replace one that it does.
            log.error("a key is not ours and is passed over", offset=records[0].offset, reason=str(error))
        log.debug("keys are here", count=len(records))
        await self._reader.commit(records[-1:])


def _last(records: Sequence[Incoming]) -> dict[str, bytes | None]:
    """What counts of each subject: that it is erased, wherever that is said, or else the last record."""
    erased = {record.key for record in records if record.value is None}
    return {record.key: None if record.key in erased else record.value for record in records}
