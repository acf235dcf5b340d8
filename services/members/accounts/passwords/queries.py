"""Hashing in threads of its own: Argon2 releases the interpreter's lock, so the event loop goes on."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.chassis.http.admission import outside
from services.members.accounts.passwords.model import SignInBusy
from services.members.accounts.passwords.settings import PasswordSettings

T = TypeVar("T")


class HashingPool:
    """The threads that hash passwords, and the bounded queue in front of them.

    Who waits here holds no place among the requests of the process. Strangers leave a quarter of the queue to devices
    that are known.
    """

    def __init__(self, settings: PasswordSettings) -> None:
        self._threads = ThreadPoolExecutor(settings.hashing_threads, "hashing")
        self._most = settings.hashing_threads + settings.hashing_queue
        self._kept_for_known = settings.hashing_queue // 4
        self._inside = 0

    async def for_known(self, work: Callable[[], T]) -> T:
        """The result of this work, for a device that is known. SignInBusy where the queue is full, Busy where the
        process takes no more requests after it."""
        return await self._done(work, self._most)

    async def for_strangers(self, work: Callable[[], T]) -> T:
        """The same, for everybody."""
        return await self._done(work, self._most - self._kept_for_known)

    async def _done(self, work: Callable[[], T], most: int) -> T:
        if self._inside >= most:
            raise SignInBusy(retry_after=1)
        self._inside += 1
        async with outside():
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
            finally:  # before it waits for a place: others may use the thread meanwhile
                self._inside -= 1
