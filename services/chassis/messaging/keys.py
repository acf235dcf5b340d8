"""The keys of people, as the service that mints them sends them round: kept in every other service."""

from collections.abc import Sequence

from services.chassis.messaging.kafka import Incoming, Reader
from services.chassis.ops import logs
from services.chassis.storage.vault import Vault

log = logs.get()


class KeyKeeper:
    """Reads the compacted topic of keys, whose last record of a subject counts: none means erased."""

    def __init__(self, vault: Vault, reader: Reader) -> None:
        self._vault = vault
        self._reader = reader

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            for records in await self._reader.poll(wait_ms=250):
                await self._keep(records)
                await self._reader.commit(records[-1:])

    async def _keep(self, records: Sequence[Incoming]) -> None:
        await self._vault.keep({record.key: record.value for record in records})
        log.debug("keys are here", count=len(records))
