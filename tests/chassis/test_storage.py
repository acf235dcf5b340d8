"""Entities in MongoDB: created, changed, never lost, on both drivers."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.domain.events import Origin, Recorded, follows
from services.chassis.domain.refusals import NotFound, Refusal
from services.chassis.domain.scope import Actor, system_actor
from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.storage.claims import Conflict
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.mongo import Document
from services.chassis.storage.store import Store, Taken
from services.chassis.usecase import Container, Context, usecase
from tests.support import toy
from tests.support.toy import CoinDropped, DropCoin, Jar, JarOpened, OpenJar


def acting(container: Container, cause: str, actor: Actor = toy.KEEPER, **more: Any) -> Context:
    return container.context(actor, cause, within=visible, **more)


async def a_jar(container: Container, **more: Any) -> Jar:
    return await toy.open_jar(acting(container, "opening"), OpenJar(label="plums", **more))


async def raw(container: Container, jar: Jar) -> dict[str, Any]:
    found = await container.mongo.find_one("jars", {"_id": jar.id})
    assert found is not None
    return found


async def test_state_and_event_are_written_together(either: Container) -> None:
    jar = await a_jar(either, secret="hush")
    kept = await raw(either, jar)
    assert (kept["version"], kept["published"], kept["archived"], kept["under"]) == (1, 0, 0, ["1507"])
    assert kept["state"]["label"] == "plums"
    assert kept["history"][0]["type"] == "linli.support.JarOpened"
    assert kept["history"][0]["private"] == {"secret": "hush"}
    assert "secret" not in kept["history"][0]["data"]
    assert kept["pending"] == kept["history"][0]["at"]


async def test_a_change_sets_only_the_fields_that_changed(either: Container) -> None:
    jar = await a_jar(either)
    # A newer process knows a field that this one does not, and another field was changed behind its back.
    await either.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.colour": "red", "state.label": "pears"}})
    store = Store(either.mongo, toy.KEEPER, Origin(now(), "keeper", "x", "c1", None, None))
    async with store.change(Jar, jar.id) as loaded:
        await either.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.label": "figs"}})
        loaded.record(CoinDropped(coins=2))
    state = (await raw(either, jar))["state"]
    assert (state["colour"], state["label"], state["total"]) == ("red", "figs", 2)


async def test_pending_keeps_the_time_of_the_oldest_unpublished_event(either: Container) -> None:
    jar = await a_jar(either)
    first = (await raw(either, jar))["pending"]
    await asyncio.sleep(0.005)
    await toy.drop_coin(acting(either, "later"), jar.id, DropCoin())
    assert (await raw(either, jar))["pending"] == first


async def test_of_two_writers_one_wins_and_the_other_runs_again(either: Container) -> None:
    jar = await a_jar(either)
    loaded, go = asyncio.Event(), asyncio.Event()
    runs: list[int] = []

    @usecase(allow="keeper", within=visible)
    async def drop_slowly(ctx: Context) -> Jar:
        """Drop a coin after a while."""
        async with ctx.store.change(Jar, jar.id) as mine:
            runs.append(mine.total)
            loaded.set()
            await go.wait()
            mine.record(CoinDropped(coins=1))
        return mine

    slow = asyncio.create_task(drop_slowly(acting(either, "slow")))
    await loaded.wait()
    await toy.drop_coin(acting(either, "quick"), jar.id, DropCoin(coins=10))
    go.set()
    assert (await slow).total == 11
    assert runs == [0, 10]


async def test_a_store_by_itself_tells_the_loser_of_a_race(either: Container) -> None:
    jar = await a_jar(either)
    ctx = acting(either, "loser")
    with pytest.raises(Conflict):
        async with ctx.store.change(Jar, jar.id) as mine:
            await toy.drop_coin(acting(either, "winner"), jar.id, DropCoin())
            mine.record(CoinDropped(coins=1))
    assert (await raw(either, jar))["version"] == 2


async def test_many_writers_of_one_entity_are_all_counted(either: Container) -> None:
    jar = await a_jar(either)

    async def drop(number: int) -> None:
        while True:  # as a client does with a 503: the same key again
            try:
                await toy.drop_coin(acting(either, f"drop {number}"), jar.id, DropCoin())
                return
            except Refusal as refusal:
                assert refusal.code() == "busy"

    await asyncio.gather(*(drop(number) for number in range(25)))
    kept = await raw(either, jar)
    assert (kept["state"]["total"], kept["version"], len(kept["history"])) == (25, 26, 26)


async def test_ten_writers_of_one_entity_need_no_help_from_their_clients(either: Container) -> None:
    jar = await a_jar(either)
    drops = (toy.drop_coin(acting(either, f"drop {n}"), jar.id, DropCoin()) for n in range(10))
    await asyncio.gather(*drops)
    assert (await raw(either, jar))["state"]["total"] == 10


async def test_a_use_case_writes_one_entity_once(shop: Container) -> None:
    jar = await a_jar(shop)
    ctx = acting(shop, "twice")
    async with ctx.store.change(Jar, jar.id) as mine:
        mine.record(CoinDropped(coins=1))
    with pytest.raises(RuntimeError, match="one entity, once"):
        async with ctx.store.create(Jar):
            pass
    with pytest.raises(RuntimeError, match="one entity, once"):
        async with ctx.store.as_system().change(Jar, jar.id):
            pass


async def test_a_refusal_can_leave_a_trace(shop: Container) -> None:
    jar = await a_jar(shop)
    with pytest.raises(toy.Guessed):
        await toy.guess_total(acting(shop, "guess"), jar.id, toy.GuessTotal(total=7))
    assert (await raw(shop, jar))["state"]["misses"] == 1


async def test_a_refusal_leaves_no_trace_of_what_was_recorded_before_it(shop: Container) -> None:
    jar = await a_jar(shop)
    before = await raw(shop, jar)
    with pytest.raises(toy.Full):
        async with acting(shop, "c").store.change(Jar, jar.id) as mine:
            mine.record(CoinDropped(coins=1))
            raise toy.Full
    assert await raw(shop, jar) == before


async def test_twins_claim_a_natural_key_only_once(either: Container) -> None:
    claims = (acting(either, f"claim {n}").claims.claim("jar", "13800000000") for n in range(8))
    ids = set(await asyncio.gather(*claims))
    assert len(ids) == 1
    assert await acting(either, "c").claims.find("jar", "13800000000") == ids.pop()
    assert await acting(either, "c").claims.find("jar", "another") is None


async def test_a_claim_whose_twin_is_on_no_majority_yet_is_made_again(
    either: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The primary knows the twin's insert, and refuses ours; a majority read does not see it yet."""
    make, refusals = either.mongo.find_or_make, iter([Duplicate(["_id"])])

    async def find_or_make(name: str, where: Document, fields: Document) -> Document:
        for refusal in refusals:
            raise refusal
        return await make(name, where, fields)

    monkeypatch.setattr(either.mongo, "find_or_make", find_or_make)
    with pytest.raises(Conflict):
        await acting(either, "mine").claims.claim("jar", "13800000000")
    theirs = await acting(either, "theirs").claims.claim("jar", "13800000000")
    assert await acting(either, "mine").claims.claim("jar", "13800000000") == theirs


async def test_an_id_that_is_taken_is_refused_also_to_those_who_do_not_see_it(shop: Container) -> None:
    await a_jar(shop)
    async with acting(shop, "first").store.create(Jar, "jar_1") as jar:
        jar.record(JarOpened(label="a", keeper="keeper"))
    for actor in (toy.KEEPER, toy.OTHER):
        with pytest.raises(Taken):
            async with acting(shop, "second", actor).store.create(Jar, "jar_1"):
                pass


async def test_the_hash_chain_follows_and_breaks_on_one_changed_byte(either: Container) -> None:
    jar = await a_jar(either, secret="hush")
    for number in range(3):
        await toy.drop_coin(acting(either, f"d{number}"), jar.id, DropCoin(coins=number + 1))
    history = await acting(either, "look").store.history(Jar, jar.id)
    assert _chain_holds(history)
    for changed in (
        dataclasses.replace(history[1], data={"coins": 2}),
        dataclasses.replace(history[1], by="keepes"),
        dataclasses.replace(history[1], at=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        assert not _chain_holds([history[0], changed, *history[2:]])
    assert not _chain_holds([history[0], *history[2:]])
    assert (await raw(either, jar))["hash"] == history[-1].hash


def _chain_holds(history: list[Recorded]) -> bool:
    previous = ""
    for entry in history:
        if not follows(entry.document(), previous):
            return False
        previous = entry.hash
    return True


async def test_an_event_of_more_than_64_kib_is_refused_and_nothing_is_written(shop: Container) -> None:
    jar = await a_jar(shop)
    with pytest.raises(Refusal) as refused:
        async with acting(shop, "long").store.change(Jar, jar.id) as mine:
            mine.record(toy.JarMoved(keeper="k" * 70_000))
    assert refused.value.code() == "event-too-large"
    assert (await raw(shop, jar))["version"] == 1


async def test_instants_are_kept_in_whole_milliseconds(either: Container) -> None:
    ripe = datetime(2026, 5, 1, 12, 0, 0, 123_999, tzinfo=UTC)
    async with acting(either, "c").store.create(Jar) as jar:
        jar.record(JarOpened(label="a", keeper="keeper", ripe_at=ripe))
    loaded = await acting(either, "r").store.get(Jar, jar.id)
    assert loaded.ripe_at == jar.ripe_at == ripe.replace(microsecond=123_000)


async def test_an_entity_is_seen_only_by_whom_it_is_for(shop: Container) -> None:
    jar = await a_jar(shop)
    inspector = Actor("i", frozenset({"inspector"}), ("1507",))
    stranger = Actor("i", frozenset({"inspector"}), ("1508",))
    assert (await acting(shop, "r", inspector).store.get(Jar, jar.id)).id == jar.id
    assert (await acting(shop, "r", system_actor("timer")).store.get(Jar, jar.id)).id == jar.id
    for unseeing in (toy.OTHER, stranger, Actor("i", frozenset({"inspector"}))):
        with pytest.raises(NotFound):
            await acting(shop, "r", unseeing).store.get(Jar, jar.id)
        with pytest.raises(NotFound):
            async with acting(shop, "w", unseeing).store.change(Jar, jar.id):
                pass


async def test_values_that_look_like_operators_are_text(either: Container) -> None:
    label = '{"$ne": null} $where'
    jar = await toy.open_jar(acting(either, "$set"), OpenJar(label=label, secret="$$ROOT"))
    await toy.drop_coin(acting(either, "$inc.x"), jar.id, DropCoin())
    loaded = await acting(either, "r").store.get(Jar, jar.id)
    assert (loaded.label, loaded.secret, loaded.total) == (label, "$$ROOT", 1)
