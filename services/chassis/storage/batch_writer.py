"""The batch writer: concurrent updates of one collection share one round trip."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage.combiner import Combiner

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
        made = partial(copy_context().run, Combiner[_Call[W], bool | Exception | None], _MOST)
        self._collections = defaultdict[str, Combiner[_Call[W], bool | Exception | None]](made)

    async def write(self, collection: str, write: W) -> bool | None:
        """Whether the write had its effect. Raises what ``one`` raises.

        None where that is not known: some write of the same round trip had none, and the database does not say which.
        """
        outcome = await self._collections[collection].get(_Call(write), partial(self._written, collection))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _written(self, collection: str, calls: Sequence[_Call[W]]) -> Mapping[_Call[W], bool | Exception | None]:
        if len(calls) == 1:
            return {calls[0]: await self._alone(collection, calls[0])}
        try:
            had_effect = await self._many(collection, [call.write for call in calls])
            return dict.fromkeys(calls, True if had_effect == len(calls) else None)
        except Unavailable:
            raise
        except Exception:  # one of them is to blame: only that one may fail
            return await self._each_alone(collection, calls)

    async def _each_alone(
        self, collection: str, calls: Sequence[_Call[W]]
    ) -> Mapping[_Call[W], bool | Exception | None]:
        """The outcome of each; those that were written together before have no effect now, which says nothing."""
        outcomes: dict[_Call[W], bool | Exception | None] = {}
        away: Unavailable | None = None
        for call in calls:
            # Nobody waits for one time limit after another.
            outcome = away or await self._alone(collection, call)
            away = outcome if isinstance(outcome, Unavailable) else None
            outcomes[call] = outcome or None
        return outcomes

    async def _alone(self, collection: str, call: _Call[W]) -> bool | Exception:
        try:
            return await self._one(collection, call.write) == 1
        except Exception as error:
            return error
