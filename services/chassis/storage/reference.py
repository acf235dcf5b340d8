"""Reference data: what changes seldom and is asked for often, held in a process until a change is heard of."""

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from services.chassis.domain.entity import Stored
from services.chassis.domain.paging import Order
from services.chassis.storage import copy_reads
from services.chassis.storage.change_notifier import ChangeNotifier, Subscription
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document, Mongo

S = TypeVar("S", bound=Stored)

_MOST, _LARGEST = 20_000, 100
"""How many objects are held in all answers, and in one; the answer that was asked for longest ago goes first."""

_Question = tuple[str, str, str, int]


class Reference:
    """Answers to queries over some collections, as the system actor would get them."""

    def __init__(self, mongo: Mongo, kinds: Collection[type[Stored]] = ()) -> None:
        """``kinds``: of which answers are held."""
        self._mongo = mongo
        self._collections = frozenset(kind.collection() for kind in kinds)
        self._answers: OrderedDict[_Question, list[Document]] = OrderedDict()
        self._size = 0  # how many objects these answers have
        self._subscription: Subscription | None = None
        self._listen: Callable[[], Awaitable[Subscription]] | None = None
        self._ages = Counter[str]()  # by collection: rises whenever answers may have become old

    @asynccontextmanager
    async def held(self, changes: ChangeNotifier) -> AsyncIterator[None]:
        """Hold answers as long as the block lasts; before and after it every question goes to the database.

        It listens from the first question on: a process that asks nothing opens no stream.
        """
        async with AsyncExitStack() as listening:
            subscribing = changes.subscribe("version", collections=self._collections)
            self._listen = partial(listening.enter_async_context, subscribing)
            try:
                yield
            finally:
                self._subscription = self._listen = None
                self._forget(list(self._answers))

    async def find(
        self, kind: type[S], where: Document, order: Order, limit: int, *, confirmed: bool = False
    ) -> tuple[list[S], bool]:
        """The first objects that match, and whether the answer was held: ``confirmed`` asks the database in any case.

        An answer that finds nothing is never held. Raises Unavailable.
        """
        copy_reads.expect_declared(kind.collection())
        question = (kind.collection(), repr(where), repr(order.keys), limit)
        if self._listen is not None and kind.collection() in self._collections:
            listen, self._listen = self._listen, None
            self._subscription = await listen()
        self._forget_what_changed()
        if not confirmed and self._is_current() and (known := self._answers.get(question)) is not None:
            self._answers.move_to_end(question)
            return [load(kind, document) for document in known], True
        age = self._ages[kind.collection()]
        found = await self._mongo.find(kind.collection(), where, show={"history": 0}, sort=order.keys, limit=limit)
        self._forget_what_changed()
        may_be_held = 0 < len(found) <= _LARGEST and kind.collection() in self._collections
        if may_be_held and age == self._ages[kind.collection()] and self._is_current():
            self._forget([question] if question in self._answers else [])
            self._answers[question] = found
            self._size += len(found)
            while self._size > _MOST:
                self._forget([next(iter(self._answers))])
        return [load(kind, document) for document in found], False

    def forget(self, collection: str) -> None:
        """This process writes there itself: who reads after that must not wait until it is heard of."""
        if collection in self._collections:
            self._ages[collection] += 1
            self._forget([question for question in self._answers if question[0] == collection])

    def _forget(self, questions: Collection[_Question]) -> None:
        for question in questions:
            self._size -= len(self._answers.pop(question))

    def _is_current(self) -> bool:
        """Whether a change would be heard of."""
        return self._subscription is not None and not self._subscription.is_silent()

    def _forget_what_changed(self) -> None:
        changed = None if self._subscription is None else self._subscription.take()
        for collection in self._collections if changed is None else changed:
            self.forget(collection)


class ReferenceReads:
    """Reference data as one run of a use case reads it."""

    def __init__(self, reference: Reference, *, confirmed: bool) -> None:
        """``confirmed``: nothing that is held counts."""
        self._reference, self._confirmed = reference, confirmed
        self.rested_on_held = False
        """Whether an answer was held: a refusal that rests on it is confirmed first."""

    async def find(self, kind: type[S], where: Document, *, order: Order, limit: int) -> list[S]:
        """The first ``limit`` objects that match, as the system actor sees them. Raises Unavailable."""
        found, held = await self._reference.find(kind, where, order, limit, confirmed=self._confirmed)
        self.rested_on_held |= held
        return found
