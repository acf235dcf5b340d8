"""The combiner: concurrent calls share one round trip."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import copy_context
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")


class Combiner(Generic[K, A]):
    """One round trip at a time: all keys that are asked for meanwhile share the next. So no answer is older than its
    request.
    """

    def __init__(self, most: int = 500) -> None:
        """``most``: the largest number of keys in one round trip."""
        self._most = most
        self._asked: dict[K, asyncio.Future[A | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        # not the context of the first caller, because log lines of the round trip belong to no single request
        self._context = copy_context()

    async def get(self, key: K, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, A]]]) -> A | None:
        """The answer for this key, or None. Raises whatever ``ask`` raises, for all who share it.

        The answer is shared with others who ask for an equal key: do not change it.
        """
        return await asyncio.shield(self._ask(key, ask))

    async def get_all(self, keys: Iterable[K], ask: Callable[[Sequence[K]], Awaitable[Mapping[K, A]]]) -> dict[K, A]:
        """The answers for those of these keys that have one. Raises, and is shared, as that of ``get``."""
        asked = {key: self._ask(key, ask) for key in keys}
        answers = {key: await asyncio.shield(answer) for key, answer in asked.items()}
        return {key: answer for key, answer in answers.items() if answer is not None}

    def _ask(self, key: K, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, A]]]) -> "asyncio.Future[A | None]":
        answer = self._asked.setdefault(key, asyncio.get_running_loop().create_future())
        if self._asking is None:
            self._asking = asyncio.create_task(self._go_on(ask), context=self._context)
        return answer

    async def _go_on(self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, A]]]) -> None:
        try:
            await asyncio.sleep(0)  # those who begin at the same moment, each in a task of its own, share it
            while self._asked:
                asked = dict(islice(self._asked.items(), self._most))
                for key in asked:
                    del self._asked[key]
                await _answered(asked, ask)
        finally:
            self._asking = None
            _leave(self._asked.values())  # of those who asked during a round trip that was cancelled
            self._asked.clear()


async def _answered(
    asked: "Mapping[K, asyncio.Future[A | None]]", ask: Callable[[Sequence[K]], Awaitable[Mapping[K, A]]]
) -> None:
    try:
        found = await ask(list(asked))
        for key, answer in asked.items():
            answer.set_result(found.get(key))
    except Exception as error:
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # the caller may be gone
    finally:
        _leave(asked.values())  # where the round trip itself was cancelled


def _leave(unanswered: "Iterable[asyncio.Future[A | None]]") -> None:
    """Let nobody wait for what does not come; who has an answer keeps it."""
    for answer in unanswered:
        answer.cancel()
