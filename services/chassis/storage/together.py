"""What many ask for at the same moment, each by its id, found with one look."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")
Look = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]


class Together(Generic[T]):
    """All that is asked for while one look is under way shares the next: no answer is older than its question."""

    def __init__(self, most: int = 500) -> None:
        """``most``: how many ids one look is given."""
        self._most = most
        self._asked: dict[str, asyncio.Future[T | None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._context = copy_context()  # not that of whoever asks first: what is logged here is nobody's own

    async def get(self, id: str, look: Look[T]) -> T | None:
        """The thing of this id, None where there is none; whatever ``look`` raises, which is the same for all."""
        answer = self._asked.setdefault(id, asyncio.get_running_loop().create_future())
        if self._looking is None:
            self._looking = asyncio.create_task(self._go_on(look), context=self._context)
        return await asyncio.shield(answer)

    async def _go_on(self, look: Look[T]) -> None:
        while self._asked:
            asked = dict(islice(self._asked.items(), self._most))
            for id in asked:
                del self._asked[id]
            await _answered(asked, look)
        self._looking = None


async def _answered(asked: Mapping[str, "asyncio.Future[T | None]"], look: Look[T]) -> None:
    try:
        found = await look(list(asked))
    except Exception as error:
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # whoever asked may be gone
    else:
        for id, answer in asked.items():
            answer.set_result(found.get(id))
