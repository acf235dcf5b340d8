"""Reference data: held while nothing is heard of a change; no refusal, and nobody who may have written, rests on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.paging import Order
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import PUBLIC, Actor
from services.chassis.guards import visible
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Copying, Create, Effect, reaction
from services.chassis.storage import reference as module
from services.chassis.storage.change_notifier import Subscription
from services.chassis.storage.mongo import Document
from services.chassis.storage.reference import Reference
from services.chassis.usecase import Container, Context, usecase
from tests.support import toy
from tests.support.reading import consume
from tests.support.road import Road, until
from tests.support.toy import CoinDropped, Jar, JarCopy, Note, NoteWritten

BY_ID = Order("_id")
SOMEBODY, STAFF = Actor("somebody"), Actor("keeper", places=("1507",))


class Asked:
    """How often the database was asked for jars; ``hook`` runs after each answer."""

    def __init__(self, container: Container) -> None:
        self.count, self._find = 0, container.mongo.find
        self.hook: Callable[[], Awaitable[None]] | None = None
        container.mongo.find = self.find  # type: ignore[method-assign]

    async def find(self, name: str, where: Document, **more: Any) -> list[Document]:
        """As the database's."""
        found = await self._find(name, where, **more)
        if name == "jars":
            self.count += 1
            if self.hook is not None:
                await self.hook()
        return found


@pytest.fixture
async def holding(shop: Container) -> AsyncIterator[Container]:
    """A shop that holds what it read of its jars."""
    reference = Reference(shop.mongo, (Jar,))
    async with reference.held(shop.changes):
        assert shop.changes._listening is None, "who asks nothing needs no stream"
        await reference.find(Jar, {}, BY_ID, 1)

        async def listening() -> bool:
            return bool(shop.changes._heard)

        await until(listening)
        yield replace(shop, reference=reference)


@pytest.fixture
def asked(holding: Container) -> Asked:
    """The questions to its database."""
    return Asked(holding)


async def labels(holding: Container, actor: Actor = SOMEBODY, **where: Any) -> list[str]:
    """The labels of the jars, as one run of a use case reads them."""
    ctx = holding.context(actor, "read")
    return [jar.label for jar in await ctx.reference.find(Jar, Jar.where(**where), order=BY_ID, limit=9)]


async def jar(holding: Container, label: str = "plums") -> Jar:
    """A new jar."""
    ctx = holding.context(toy.KEEPER, f"opening {label}", within=visible)
    return await toy.open_jar(ctx, toy.OpenJar(label=label, size=9))


async def relabel(holding: Container, one: Jar, label: str) -> None:
    """As another process writes."""
    change = {"$set": {"state.label": label}, "$inc": {"version": 1}}
    assert await holding.mongo.update("jars", {"_id": one.id}, change)


async def test_what_was_answered_is_held_until_a_change_is_heard_of(holding: Container, asked: Asked) -> None:
    one = await jar(holding)
    await until(lambda: quiet(holding, asked))
    before = asked.count
    for _ in range(5):
        assert await labels(holding) == ["plums"]
    assert asked.count == before
    await relabel(holding, one, "pears")
    await jar(holding, "cherries")

    async def seen() -> bool:
        return sorted(await labels(holding)) == ["cherries", "pears"]

    await until(seen)


async def quiet(holding: Container, asked: Asked) -> bool:
    """Whether an answer is held: nothing more is heard of what was written before."""
    await labels(holding)
    before = asked.count
    await asyncio.sleep(0.3)
    await labels(holding)
    return asked.count == before


async def test_without_anybody_who_listens_every_question_goes_to_the_database(shop: Container) -> None:
    counted = Asked(shop)
    await jar(shop)
    for _ in range(3):
        assert await labels(replace(shop, reference=Reference(shop.mongo, (Jar,)))) == ["plums"]
    assert counted.count == 3


async def test_what_was_not_found_is_asked_for_again(holding: Container, asked: Asked) -> None:
    assert [await labels(holding, label="figs") for _ in range(3)] == [[]] * 3
    assert asked.count == 3


async def test_while_nothing_is_heard_of_the_database_it_is_asked(
    holding: Container, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await jar(holding)
    await until(lambda: quiet(holding, asked))
    monkeypatch.setattr(Subscription, "is_silent", lambda _: True)
    await relabel(holding, one, "pears")
    assert await labels(holding) == ["pears"]


async def test_an_answer_that_was_under_way_when_a_change_was_heard_of_is_not_held(
    holding: Container, asked: Asked
) -> None:
    one = await jar(holding)
    await until(lambda: quiet(holding, asked))
    await relabel(holding, one, "pears")

    async def changed() -> None:
        asked.hook = None
        await relabel(holding, one, "cherries")
        await asyncio.sleep(0.5)  # it is heard of before the old answer is taken

    async def fresh() -> bool:
        asked.hook = changed
        return await labels(holding) == ["pears"] and asked.hook is None

    await until(fresh)
    assert await labels(holding) == ["cherries"]


async def test_what_the_process_writes_itself_is_forgotten_at_once_and_a_long_answer_is_not_held(
    holding: Container, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await jar(holding)
    await until(lambda: quiet(holding, asked))
    monkeypatch.setattr(Subscription, "note", lambda *_: None)
    await relabel(holding, one, "pears")
    holding.reference.forget("notes")
    assert await labels(holding) == ["plums"]
    holding.reference.forget("jars")
    assert await labels(holding) == ["pears"]
    monkeypatch.setattr(module, "_LARGEST", 0)
    holding.reference.forget("jars")
    before = asked.count
    assert [await labels(holding) for _ in range(2)] == [["pears"]] * 2
    assert asked.count == before + 2


async def test_of_many_answers_those_that_were_asked_for_last_are_held(
    holding: Container, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    for label in ("plums", "pears", "figs"):
        await jar(holding, label)
    await until(lambda: quiet(holding, asked))
    monkeypatch.setattr(Subscription, "note", lambda *_: None)
    monkeypatch.setattr(module, "_MOST", 2)
    holding.reference.forget("jars")
    for label in ("plums", "pears", "plums", "figs"):
        assert await labels(holding, label=label) == [label]
    before = asked.count
    for label in ("plums", "figs"):
        await labels(holding, label=label)
    assert asked.count == before
    await labels(holding, label="pears")
    assert asked.count == before + 1


async def test_who_holds_a_post_reads_what_they_wrote(
    holding: Container, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await jar(holding)
    await until(lambda: quiet(holding, asked))
    monkeypatch.setattr(Subscription, "note", lambda *_: None)  # slower than any answer
    await relabel(holding, one, "pears")
    assert (await labels(holding), await labels(holding, STAFF)) == (["plums"], ["pears"])


class Rotten(Refusal):
    kind = Kind.STATE


RUNS: list[str] = []


@usecase(allow=PUBLIC)
async def taste(ctx: Context) -> str:
    """Refuse where a jar is rotten."""
    (one,) = await ctx.reference.find(Jar, {}, order=BY_ID, limit=1)
    RUNS.append(one.label)
    if one.label == "rotten":
        raise Rotten
    return one.label


async def test_a_refusal_that_rests_on_what_is_held_is_confirmed_first(
    holding: Container, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    RUNS.clear()
    one = await jar(holding, "rotten")
    await until(lambda: quiet(holding, asked))
    with pytest.raises(Rotten):
        await taste(holding.context(SOMEBODY, "one"))
    monkeypatch.setattr(Subscription, "note", lambda *_: None)
    await relabel(holding, one, "plums")
    assert await taste(holding.context(SOMEBODY, "two")) == "plums"
    assert RUNS[-2:] == ["rotten", "plums"]
    RUNS.clear()
    await relabel(holding, one, "rotten")
    with pytest.raises(Rotten):
        await taste(holding.context(STAFF, "three"))
    assert RUNS == ["rotten"], "what the database said is not asked for again"


@reaction("look-up-coins", CoinDropped, reads=(JarCopy,))
async def look_up_coins(ctx: Context, delivered: Delivered, _: CoinDropped) -> Sequence[Effect]:
    """Note what is in the jar, by its copy, as a worker holds it."""
    found, _held = await ctx.container.reference.find(JarCopy, {"_id": delivered.entity}, BY_ID, 1)
    return [Create.of(Note, ctx, "looked-up", NoteWritten(about=found[0].id, coins=found[0].total))]


async def test_a_copy_that_a_worker_writes_is_read_by_its_reactions_before_the_change_is_heard_of(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    reactions = (Copying(JarCopy), look_up_coins)
    road.hall = replace(road.hall, reference=Reference(road.hall.mongo, (JarCopy,)))
    async with road.hall.reference.held(road.hall.changes):
        await road.hall.reference.find(JarCopy, {}, BY_ID, 1)

        async def listening() -> bool:
            return bool(road.hall.changes._heard)

        await until(listening)
        road.hall.reference._forget_what_changed()
        monkeypatch.setattr(Subscription, "note", lambda *_: None)
        jar = await road.jar(1)

        async def held() -> bool:
            return (await road.hall.reference.find(JarCopy, {"_id": jar.id}, BY_ID, 1))[1]

        for coins, total in ((2, 3), (4, 7)):
            await road.drop(jar, coins)
            await road.publish()
            await consume(road, reactions=reactions)
            assert total in await road.notes(jar)
            await until(held)
