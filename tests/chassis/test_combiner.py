"""What many look for at the same moment is found with one look, and nobody is answered with what was before."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from pydantic import ValidationError

from services.chassis.storage.batch_loader import by_id
from services.chassis.storage.combiner import Combiner
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.toy import Jar, OpenJar


class Shelf:
    """Things by id, and the looks that were made; a look takes until ``open`` is set."""

    def __init__(self, **things: int) -> None:
        self.things = things
        self.looks: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def look(self, ids: Sequence[str]) -> Mapping[str, Document]:
        self.looks.append(sorted(ids))
        await self.open.wait()
        return {id: {"n": self.things[id]} for id in ids if id in self.things}


def of(found: Document | None) -> int | None:
    return None if found is None else int(found["n"])


async def test_all_who_ask_at_once_share_one_look() -> None:
    shelf, together = Shelf(a=1, b=2), Combiner[str, Document]()
    found = await asyncio.gather(*(together.get(id, shelf.look) for id in ("a", "b", "a", "none")))
    assert ([of(one) for one in found], shelf.looks) == ([1, 2, 1, None], [["a", "b", "none"]])


async def test_a_request_during_a_load_does_not_get_its_result() -> None:
    shelf, together = Shelf(a=1), Combiner[str, Document]()
    shelf.open.clear()
    first = asyncio.create_task(together.get("a", shelf.look))
    await asyncio.sleep(0.01)
    shelf.things["a"] = 2
    others = [asyncio.create_task(together.get(id, shelf.look)) for id in ("a", "b")]
    await asyncio.sleep(0.01)
    assert shelf.looks == [["a"]]
    shelf.open.set()
    await asyncio.gather(first, *others)
    assert (shelf.looks, of(others[0].result())) == ([["a"], ["a", "b"]], 2)


async def test_no_look_is_given_more_than_its_share() -> None:
    shelf, together = Shelf(**{f"n{n}": n for n in range(25)}), Combiner[str, Document](most=10)
    found = await asyncio.gather(*(together.get(f"n{n}", shelf.look) for n in range(25)))
    assert [of(one) for one in found] == list(range(25))
    assert [len(ids) for ids in shelf.looks] == [10, 10, 5]


async def test_a_look_that_fails_fails_for_those_who_shared_it_and_for_nobody_after() -> None:
    shelf, together = Shelf(a=1), Combiner[str, Document]()

    async def fail(_: Sequence[str]) -> Mapping[str, Document]:
        raise LookupError

    outcomes = await asyncio.gather(*(together.get(id, fail) for id in ("a", "b")), return_exceptions=True)
    assert [type(one) for one in outcomes] == [LookupError, LookupError]
    assert of(await together.get("a", shelf.look)) == 1


async def test_one_who_goes_away_takes_nothing_from_the_others() -> None:
    shelf, together = Shelf(a=1), Combiner[str, Document]()
    shelf.open.clear()
    gone, stays = (asyncio.create_task(together.get("a", shelf.look)) for _ in range(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    shelf.open.set()
    assert of(await stays) == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_look_that_is_cancelled_leaves_nobody_waiting() -> None:
    shelf, together = Shelf(a=1), Combiner[str, Document]()

    async def cancelled(_: Sequence[str]) -> Mapping[str, Document]:
        raise asyncio.CancelledError

    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await together.get("a", cancelled)
        assert of(await together.get("a", shelf.look)) == 1


async def test_nor_does_it_leave_those_waiting_who_came_meanwhile() -> None:
    shelf, together = Shelf(a=1), Combiner[str, Document]()
    began = asyncio.Event()

    async def cancelled(_: Sequence[str]) -> Mapping[str, Document]:
        began.set()
        await asyncio.sleep(0.02)
        raise asyncio.CancelledError

    first = asyncio.create_task(together.get("a", cancelled))
    await began.wait()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(first, together.get("b", cancelled), return_exceptions=True)
        assert [type(one) for one in outcomes] == [asyncio.CancelledError] * 2
        assert of(await together.get("a", shelf.look)) == 1


async def test_a_document_that_cannot_be_read_fails_only_its_own_request(shop: Container) -> None:
    good, bad = [await toy.open_jar(shop.context(toy.KEEPER, f"jar:{n}"), OpenJar(label="figs")) for n in range(2)]
    await shop.mongo.update(Jar.collection(), {"_id": bad.id}, {"$unset": {"state.label": ""}})
    found, trouble = await asyncio.gather(
        *(by_id(shop.mongo, Jar, jar.id) for jar in (good, bad)), return_exceptions=True
    )
    assert isinstance(found, Jar)
    assert isinstance(trouble, ValidationError)
