"""The batch writer: concurrent updates of one collection share one round trip."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.combiner import Combiner
from services.chassis.storage.errors import DatabaseRefused, Duplicate

W = TypeVar("W")

_MOST = 50


@dataclass(frozen=True, slots=True, eq=False)
class _Call(Generic[W]):
    """One caller's write; another one of the same content is not the same."""

    write: W


class BatchWriter(Generic[W]):
    """Writes that each change one document or match nothing, of all use cases of a process."""

    def __init__(
        self, one: Callable[[str, W], Awaitable[int]], many: Callable[[str, Sequence[W]], Awaitable[int]]
    ) -> None:
        """``one`` and ``many`` write to a collection, and return how many writes had an effect."""
        self._one, self._many = one, many
        self._collections: dict[str, Combiner[_Call[W], bool | Exception]] = {}
        self._context = copy_context()

    async def write(self, collection: str, write: W) -> bool:
        """Whether the write certainly had its effect. Raises what ``one`` raises.

        False where a write of the same round trip had none: the database does not say which. The caller reads whether
        its own had.
        """
        combiner = self._collections.setdefault(collection, self._context.run(Combiner, _MOST))
        outcome = await combiner.get(_Call(write), partial(self._written, collection))
        if isinstance(outcome, Exception):
            raise outcome
        return bool(outcome)

    async def _written(self, collection: str, calls: Sequence[_Call[W]]) -> Mapping[_Call[W], bool | Exception]:
        if len(calls) == 1:
            return {calls[0]: await self._alone(collection, calls[0])}
        try:
            certain = await self._many(collection, [call.write for call in calls]) == len(calls)
            return dict.fromkeys(calls, certain)
        except DatabaseRefused:  # one of them is to blame; those that are written already match nothing now
            return {call: await self._alone(collection, call) for call in calls}

    async def _alone(self, collection: str, call: _Call[W]) -> bool | Exception:
        try:
            return await self._one(collection, call.write) == 1
        except (DatabaseRefused, Duplicate, Unavailable) as error:
            return error
