"""The notifier: each part of a process hears of what it asked for, by one stream, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.storage import change_notifier as notifier_module
from services.chassis.storage import changes as module
from services.chassis.storage.change_notifier import Named, Subscription
from services.chassis.storage.changes import Changes
from services.chassis.storage.mongo import Document, Put
from services.chassis.usecase import Container
from tests.support.road import until

LONG, SHORT = 10.0, 0.05


async def pend(container: Container, id: str) -> None:
    put = Put({"_id": id}, {"$currentDate": {"pending": True}}, upsert=True)
    await container.mongo.bulk("jars", [put])


@asynccontextmanager
async def listening(
    container: Container, *fields: str, collections: Collection[str] = ("jars",)
) -> AsyncIterator[Subscription]:
    """A subscription whose stream is open, and all of it taken."""
    async with container.changes.subscribe(*fields, collections=collections) as subscription:
        assert await subscription.wait(LONG) is None  # what was before, one has to look for
        yield subscription


async def test_it_names_what_is_pending_and_nothing_else(either: Container) -> None:
    mongo = either.mongo
    async with listening(either, "pending") as subscription:
        for write in (pend(either, "new"), pend(either, "new")):
            await write
            assert await subscription.wait(LONG) == {"jars": {}}
        await mongo.update("jars", {"_id": "new"}, {"$unset": {"pending": ""}})
        await mongo.update("others", {"_id": "other"}, {"$set": {"text": "pending"}}, upsert=True)
        await mongo.delete("jars", {"_id": "new"})
        assert await subscription.wait(0.3) == {}


async def test_each_part_hears_of_its_own_fields_and_collections_by_one_stream(shop: Container) -> None:
    opened, command = list[str](), shop.mongo.command

    async def noted(*words: Any, **options: Any) -> Document:
        opened.extend(word for word in words if word == "aggregate")
        return await command(*words, **options)

    shop.mongo.command = noted  # type: ignore[method-assign]
    async with (
        shop.changes.subscribe("pending", collections={"jars"}) as pending,
        shop.changes.subscribe("version", collections={"jars"}) as versions,
        shop.changes.subscribe("order", "replay", collections={"consumers"}) as orders,
    ):
        for one in (pending, versions, orders):
            assert await one.wait(LONG) is None
        await shop.mongo.update("jars", {"_id": "new"}, {"$set": {"published": 1}}, upsert=True)
        await shop.mongo.update("seen", {"_id": "new"}, {"$set": {"version": 1}}, upsert=True)
        await shop.mongo.update("jars", {"_id": "new"}, {"$inc": {"version": 1}})
        assert await versions.wait(LONG) == {"jars": {}}
        await shop.mongo.update("consumers", {"_id": "hall"}, {"$inc": {"order": 1}, "$set": {"at": 1}}, upsert=True)
        assert await orders.wait(LONG) == {"consumers": {}}
        assert (pending.take(), versions.take()) == ({}, {})
    assert opened == ["aggregate"]


async def test_it_says_to_which_instants_fields_were_set_and_of_several_the_earliest(either: Container) -> None:
    one, two = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    mongo, where = either.mongo, {"_id": "new"}
    fields = {"instants": {"state.due_at", "state.ends_at"}}
    async with (
        either.changes.subscribe("version", collections={"jars"}, **fields) as subscription,
        either.changes.subscribe("version", collections={"jars"}) as names,
    ):
        assert await subscription.wait(LONG) is None

        async def heard() -> Named | None:
            assert await names.wait(LONG) in (None, {"jars": {}})
            return await subscription.wait(LONG)

        await mongo.insert("jars", {**where, "version": 1, "state": {"due_at": two, "ends_at": None}})
        assert await heard() == {"jars": {"state.due_at": two}}
        await mongo.update("jars", where, {"$set": {"version": 2, "state.due_at": one, "state.ends_at": two}})
        assert await heard() == {"jars": {"state.due_at": one, "state.ends_at": two}}
        await mongo.update("jars", where, {"$set": {"version": 3, "state": {"ends_at": one}}})
        assert await heard() == {"jars": {"state.ends_at": one}}
        await mongo.update("jars", where, {"$set": {"version": 4, "state.due_at": None, "state.x": 1}})
        assert await heard() == {"jars": {}}
        puts = [Put(where, {"$set": {"version": n, "state.due_at": at}}) for n, at in ((5, two), (6, one), (7, two))]
        for put in puts:
            await mongo.bulk("jars", [put])
        while (last := await heard()) != {"jars": {"state.due_at": one}}:
            assert last == {"jars": {"state.due_at": two}}


async def test_who_subscribes_later_looks_first_and_hears_from_then_on(either: Container) -> None:
    async with listening(either, "pending") as first, listening(either, "version") as second:
        assert first.take() is None  # the stream was opened again, with more
        await either.mongo.update("jars", {"_id": "new"}, {"$set": {"version": 1}}, upsert=True)
        assert await second.wait(LONG) == {"jars": {}}
        assert first.take() == {}
        async with either.changes.subscribe("version", collections={"jars"}) as third:
            assert third.take() is None  # the stream names it already


async def test_the_last_that_leaves_ends_the_stream_and_one_that_enters_meanwhile_has_another(
    either: Container,
) -> None:
    entered = asyncio.Event()

    async def enter() -> None:
        await entered.wait()
        async with listening(either, "pending") as subscription:
            await pend(either, "new")
            assert await subscription.wait(LONG) == {"jars": {}}

    async with asyncio.TaskGroup() as group:
        group.create_task(enter())
        async with listening(either, "pending"):
            entered.set()
    assert either.changes._listening is None
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "changes"]


async def test_who_waits_is_woken_by_a_write(either: Container) -> None:
    async with listening(either, "pending") as subscription:
        waiting = asyncio.create_task(subscription.wait(100.0))
        await asyncio.sleep(0.1)
        await pend(either, "one")
        async with asyncio.timeout(LONG):
            assert await waiting == {"jars": {}}


async def test_a_thousand_changes_are_heard_once_or_a_few_times(either: Container) -> None:
    async with listening(either, "pending") as subscription:
        for start in range(0, 1_000, 100):
            numbers = range(start, start + 100)
            puts = [Put({"_id": str(n)}, {"$currentDate": {"pending": True}}, upsert=True) for n in numbers]
            await either.mongo.bulk("jars", puts)
        assert await subscription.wait(LONG)
        heard = 1
        while await subscription.wait(0.3):
            heard += 1
        assert heard < 10


async def test_a_change_stream_that_was_not_read_for_long_is_opened_again(
    either: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with either.mongo.session() as session:
        changes = Changes(either.mongo, session, [])
        assert await changes.come(50) is None
        before = changes._cursor
        monkeypatch.setattr(module, "_READ_SECONDS", 0.0)
        assert await changes.come(50) is None
        assert changes._cursor != before
        with pytest.raises(Unavailable):
            await changes._command("getMore", before, collection="$cmd.aggregate")


async def test_a_stream_begins_where_a_majority_was_before_it_was_opened(either: Container) -> None:
    begun, command = list[Document](), either.mongo.command

    async def write_first(*words: Any, **options: Any) -> Document:
        if words[0] != "aggregate":
            return await command(*words, **options)
        await pend(either, "between")  # as a write that the node had already, and that nobody could read yet
        answer = await command(*words, **options)
        begun.extend(answer["cursor"]["firstBatch"])
        return answer

    async with either.mongo.session() as session:
        changes = Changes(either.mongo, session, [])
        either.mongo.command = write_first  # type: ignore[method-assign]
        assert await changes.come(50) is None  # the caller looks, and so finds what is in the first batch
        assert "between" in [change["documentKey"]["_id"] for change in begun if "documentKey" in change]
        before = changes._cursor
        await changes.close()
        with pytest.raises(Unavailable):
            await changes._command("getMore", before, collection="$cmd.aggregate")


async def test_while_the_database_is_away_it_is_silent_and_after_that_all_look(
    either: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_module, "_SILENT_SECONDS", 0.2)
    monkeypatch.setattr(notifier_module, "_AWAY_SECONDS", 0.1)
    monkeypatch.setattr(notifier_module, "_WAIT_MS", 50)
    away, command = [False], either.mongo.command

    async def maybe(*words: Any, **options: Any) -> Document:
        if away[0]:
            raise Unavailable
        return await command(*words, **options)

    either.mongo.command = maybe  # type: ignore[method-assign]
    async with listening(either, "pending") as subscription:
        assert not subscription.is_silent()
        away[0] = True

        async def silent() -> bool:
            return subscription.is_silent()

        await until(silent)
        await pend(either, "missed")
        assert subscription.take() == {}
        away[0] = False
        assert await subscription.wait(LONG) is None
        assert not subscription.is_silent()
