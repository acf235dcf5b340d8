"""The gate: so many requests are worked on at once; the next wait for a moment, and no longer than it is of use."""

import asyncio
import time
from collections import deque

_QUEUE_TIMEOUT, _SHORT_TIMEOUT = 0.2, 0.1
"""So many seconds one waits where the queue was empty lately: a burst passes. Where it has stood for that long, more
come than can be served, and whoever comes makes all others wait: then half as long."""
_WAITING = 8
"""At most so many times as many wait as are worked on."""


class ConcurrencyLimiter:
    """Who comes when ``most`` are inside waits in turn, or is turned away: after the idea of RFC 8289."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calm = time.monotonic()
        self.inside = 0
        """How many are inside now."""

    async def enter(self) -> bool:
        """Whether one may go in; who does has to ``leave``."""
        if self.inside < self._most:
            self.inside += 1
            self._calm = time.monotonic()
            return True
        if len(self._waiting) >= self._most * _WAITING:
            return False
        return await self._wait(asyncio.get_running_loop().create_future())

    def leave(self) -> None:
        """Give the place to who has waited longest."""
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
            if not self._gave_up(place):  # given to one who is gone
                self.leave()
            raise
        return not self._gave_up(place)

    def _gave_up(self, place: "asyncio.Future[None]") -> bool:
        """Whether it was not given; then nobody waits for it any more."""
        if not place.cancel():
            return False
        self._waiting.remove(place)
        return True
