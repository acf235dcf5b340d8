"""Retries while database or broker are away: lost connections and time-outs, and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.messaging.kafka import BrokerAway
from services.chassis.storage.vault import KeyNotHere
from services.chassis.telemetry import logs

log = logs.get()

T = TypeVar("T")


def is_transient(error: BaseException) -> bool:
    """Whether a retry can help."""
    if isinstance(error, KeyNotHere):
        return False
    return isinstance(error, BrokerAway) or (isinstance(error, Refusal) and error.kind is Kind.UNAVAILABLE)


async def retry_forever(work: Callable[[], Awaitable[T]]) -> T:
    """Retry until it succeeds, however long database or broker are away; other errors are raised.

    Each failed try is logged. To stop it, cancel it.
    """
    pause = 0.1
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("waiting for database or broker", reason=str(error))
        await asyncio.sleep(pause)
        pause = min(5.0, pause * 2)
