"""The concurrency limiter: a fixed number of requests at once; the next ones wait in a queue, for a bounded time."""

import asyncio
from collections import OrderedDict

_SHORT_WAIT = 0.2
"""How long a request waits at most while the process sheds load, in seconds."""
_MOST_WAITING = 400
"""A bound of memory: a request that waits may hold 64 KiB of its body. Twice what a process answers in two seconds."""


class ConcurrencyLimiter:
    """Limits concurrency to ``most``; others wait in order, for ``max_wait`` seconds at most, or are refused.

    A queue that moves is no overload, however long it is: each of its requests is answered in time. It is one where a
    request has waited in vain. From then on the process sheds load: the queue is kept short, so that those who are
    admitted are answered soon, until a place is free and nobody waits. After the idea of RFC 8289.
    """

    def __init__(self, most: int, max_wait: float) -> None:
        self._most = most
        self._max_wait = max_wait
        self._queue: OrderedDict[asyncio.Future[bool], float] = OrderedDict()  # since when each waits, oldest first
        self._looking: asyncio.TimerHandle | None = None
        self._sheds = False
        self.inside = 0
        """How many are in progress now."""

    async def enter(self) -> bool:
        """Whether the caller may proceed; then it must call ``leave``."""
        if self.inside < self._most:
            self.inside += 1
            return True
        if len(self._queue) >= _MOST_WAITING:
            self._sheds = True
            return False
        place: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue[place] = asyncio.get_running_loop().time()
        self._look_later()
        try:
            return await place
        except asyncio.CancelledError:
            self._queue.pop(place, None)
            if not place.cancelled() and place.result():  # the place was given to a request that is gone
                self.leave()
            raise

    def leave(self) -> None:
        """Pass the place to the one that has waited longest."""
        while self._queue:
            place, _ = self._queue.popitem(last=False)
            if not place.done():
                place.set_result(True)
                return
        self.inside -= 1
        self._sheds = False

    @property
    def _longest_wait(self) -> float:
        return min(_SHORT_WAIT, self._max_wait) if self._sheds else self._max_wait

    def _look_later(self) -> None:
        """Look when the oldest has waited for too long, if nothing else will look before."""
        if self._queue and self._looking is None:
            since = next(iter(self._queue.values()))
            self._looking = asyncio.get_running_loop().call_at(since + self._longest_wait, self._look)

    def _look(self) -> None:
        """Turn away those who have waited for too long."""
        self._looking, now = None, asyncio.get_running_loop().time()
        while self._queue:
            place, since = next(iter(self._queue.items()))
            if now < since + self._longest_wait:
                break
            del self._queue[place]
            if not place.done():
                place.set_result(False)
                self._sheds = True
        self._look_later()
