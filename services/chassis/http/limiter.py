"""The concurrency limiter: a fixed number of requests at once; the next ones wait in a short queue."""

import asyncio
import time
from collections import deque

_QUEUE_TIMEOUT, _SHORT_TIMEOUT = 0.2, 0.1
"""Queue timeouts in seconds. The long one is for bursts: the queue was empty a moment ago. If the queue has not been
empty for that long, there is more load than capacity, and a shorter wait keeps the queue short."""
_WAITING = 8
"""The queue holds at most this many times the number of requests in progress."""


class ConcurrencyLimiter:
    """Limits concurrency to ``most``; others wait in order or are refused. After the idea of RFC 8289."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calm = time.monotonic()
        self.inside = 0
        """How many are in progress now."""

    async def enter(self) -> bool:
        """Whether the caller may proceed; then it must call ``leave``."""
        if self.inside < self._most:
            self.inside += 1
            self._calm = time.monotonic()
            return True
        if len(self._waiting) >= self._most * _WAITING:
            return False
        return await self._wait(asyncio.get_running_loop().create_future())

    def leave(self) -> None:
        """Pass the place to the one that has waited longest."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.inside -= 1
            self._calm = time.monotonic()

    async def _wait(self, place: "asyncio.Future[None]") -> bool:
        self._waiting.append(place)
        timeout = _QUEUE_TIMEOUT if time.monotonic() < self._calm + _QUEUE_TIMEOUT else _SHORT_TIMEOUT
        try:
            await asyncio.wait([place], timeout=timeout)
        except asyncio.CancelledError:
            if not self._gave_up(place):  # the place was given to a request that is gone
                self.leave()
            raise
        return not self._gave_up(place)

    def _gave_up(self, place: "asyncio.Future[None]") -> bool:
        """Whether no place was given; then the request no longer waits for one."""
        if not place.cancel():
            return False
        self._waiting.remove(place)
        return True
