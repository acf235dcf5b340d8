"""Updates that come while another is on its way go together; each is written once, whatever happens to the others."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from services.chassis.domain.refusals import Unavailable
from services.chassis.guards import visible
from services.chassis.storage.batch_writer import BatchWriter
from services.chassis.storage.errors import DatabaseRefused, Duplicate
from services.chassis.storage.mongo import DatabaseIndex
from services.chassis.usecase import Container, Context, usecase
from tests.support import toy
from tests.support.calls import CALLS
from tests.support.toy import CoinDropped, DropCoin, Jar, OpenJar


async def test_what_waits_at_the_same_moment_is_written_in_one_round_trip(shop: Container) -> None:
    jars = await _jars(shop, 9)
    with CALLS.counted() as calls:
        await asyncio.gather(*(_drop(shop, jar, "once") for jar in jars))
    assert calls["update"] < len(jars) == calls["find"]
    assert [await _total(shop, jar) for jar in jars] == [1] * 9


async def test_one_that_loses_a_race_comes_again_and_no_other_does(shop: Container) -> None:
    hot, *others = await _jars(shop, 8)
    runs = Counter[str]()

    @usecase(allow="keeper", within=visible)
    async def drop(ctx: Context, id: str) -> Jar:
        async with ctx.store.change(Jar, id) as jar:
            runs[id] += 1
            jar.record(CoinDropped(coins=1))
        return jar

    async def dropped(jar: Jar, n: int) -> Jar:
        return await drop(shop.context(toy.KEEPER, f"coin {n} {jar.id}"), jar.id)

    done = await asyncio.gather(*(dropped(hot, n) for n in range(6)), *(dropped(jar, 0) for jar in others))
    assert (await _total(shop, hot), [await _total(shop, jar) for jar in others]) == (6, [1] * 7)
    assert (runs[hot.id] > 6, [runs[jar.id] for jar in others]) == (True, [1] * 7)
    assert all(len(jar.fresh) == 1 for jar in done)  # none was answered as a repeat
    history = await shop.context(toy.KEEPER, "read").store.history(Jar, hot.id)
    assert len({event.cause for event in history}) == 1 + 6


async def test_one_that_a_unique_index_refuses_fails_alone(shop: Container) -> None:
    await shop.mongo.build_indexes("things", [DatabaseIndex(("number",), unique=True)])
    for n in range(4):
        await shop.mongo.insert("things", {"_id": n, "number": n})

    async def renumber(n: int, number: int) -> bool | None:
        return await shop.mongo.update_batched("things", {"_id": n, "number": n}, {"$set": {"number": number}})

    one, wrong, other = await asyncio.gather(renumber(0, 10), renumber(1, 3), renumber(2, 12), return_exceptions=True)
    assert isinstance(wrong, Duplicate)
    assert (one, other) == (None, None)  # written before it was known who was refused
    found = await shop.mongo.find("things", {}, sort=[("_id", 1)], limit=4)
    assert [one["number"] for one in found] == [10, 1, 12, 3]


async def test_one_that_cannot_even_be_sent_fails_alone(shop: Container) -> None:
    for n in range(2):
        await shop.mongo.insert("things", {"_id": n})
    changes = [{"$set": {"what": what}} for what in ("a word", object())]
    good, bad = await asyncio.gather(
        *(shop.mongo.update_batched("things", {"_id": n}, change) for n, change in enumerate(changes)),
        return_exceptions=True,
    )
    assert good in (True, None)
    assert isinstance(bad, Exception)
    assert await shop.mongo.find_one("things", {"_id": 0}) == {"_id": 0, "what": "a word"}


async def test_an_outage_is_heard_by_all_who_were_written_together_after_one_time_limit() -> None:
    tries = []

    async def away(_: str, write: object) -> int:
        tries.append(write)
        raise Unavailable(retry_after=2)

    async def refused(_: str, __: object) -> int:
        raise DatabaseRefused("one of them")

    for many, tried in ((away, 1), (refused, 1)):
        tries.clear()
        writer = BatchWriter[str](away, many)
        outcomes = await asyncio.gather(*(writer.write("things", one) for one in "abc"), return_exceptions=True)
        assert [type(one) for one in outcomes] == [Unavailable] * 3
        assert len(tries) == tried


async def test_each_hears_its_own_refusal_where_all_are_written_alone() -> None:
    async def one(_: str, write: int) -> int:
        if write == 2:
            raise DatabaseRefused("2")
        return 1 if write != 3 else 0

    async def many(_: str, __: Sequence[int]) -> int:
        raise DatabaseRefused("one of them")

    writer = BatchWriter[int](one, many)
    outcomes = await asyncio.gather(*(writer.write("things", n) for n in range(5)), return_exceptions=True)
    assert [outcomes[n] for n in (0, 1, 3, 4)] == [True, True, None, True]
    assert isinstance(outcomes[2], DatabaseRefused)


async def test_in_a_sharded_collection_each_is_written_alone(shop: Container) -> None:
    jars, sharded = await _jars(shop, 4), replace(shop, sharded=frozenset({Jar.collection()}))
    with CALLS.counted() as calls:
        await asyncio.gather(*(_drop(sharded, jar, "once") for jar in jars))
    assert calls["update"] == 4


async def _jars(shop: Container, many: int) -> list[Jar]:
    return [
        await toy.open_jar(shop.context(toy.KEEPER, f"jar {n}", within=visible), OpenJar(label="figs"))
        for n in range(many)
    ]


async def _drop(shop: Container, jar: Jar, cause: str) -> None:
    await toy.drop_coin(shop.context(toy.KEEPER, f"{cause} {jar.id}"), jar.id, DropCoin(coins=1))


async def _total(shop: Container, jar: Jar) -> int:
    return (await shop.context(toy.KEEPER, "read").store.get(Jar, jar.id)).total
