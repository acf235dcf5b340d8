"""Waits until all recorded events have been published and consumed."""

import asyncio
import time

from deploy.local import Stack, Trouble, health, waiting
from deploy.local.health import PROBE_SECONDS

LOOKS = 3
PAUSE_SECONDS = 0.4


async def until_quiet(stack: Stack, seconds: float = 120) -> float:
    """Wait for several quiet looks in a row; returns the seconds it took. Trouble if it takes too long.

    During one look an event may be between two services, but not during three looks.
    """
    began, quiet, flow = time.monotonic(), 0, dict[str, float | None]()
    while time.monotonic() - began < seconds:
        flow = await asyncio.to_thread(_flow, stack)
        quiet = quiet + 1 if flow["relay_pending"] == 0 and flow["consumer_lag"] == 0 else 0
        if quiet == LOOKS:
            return time.monotonic() - began
        await asyncio.sleep(PAUSE_SECONDS)
    waiting_for = ", ".join(f"{name} {flow.get(name)}" for name in ("relay_pending", "consumer_lag"))
    raise Trouble(f"The services have not caught up after {seconds:g} s ({waiting_for}): see `linli status`.", code=1)


def _flow(stack: Stack) -> dict[str, float | None]:
    workers = [process for process in stack.layout.processes if process.kind == "worker"]
    result = [(one.service, waiting.get(f"{stack.layout.address(one.name)}/metrics", PROBE_SECONDS)) for one in workers]
    texts = [(service, text) for service, (status, text) in result if status == 200]
    # A worker that does not answer may have pending work.
    return health.flow(texts) if len(texts) == len(workers) else {"relay_pending": None, "consumer_lag": None}
