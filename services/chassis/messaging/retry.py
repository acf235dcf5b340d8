"""Waiting for what is away for a moment: lost connections and time-outs of database and broker, and nothing else."""

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
    """Whether waiting mends it."""
    if isinstance(error, KeyNotHere):
        return False
    return isinstance(error, BrokerAway) or (isinstance(error, Refusal) and error.kind is Kind.UNAVAILABLE)


async def retry_forever(work: Callable[[], Awaitable[T]]) -> T:
    """Do it until it is done, however long database or broker are away; any other error is raised.

    Each try that fails is logged; whoever has to stop meanwhile cancels it.
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
