"""Updates that come while another is on its way go together; each is written once, whatever happens to the others."""

import asyncio
from collections.abc import Sequence

from services.chassis.domain.refusals import Unavailable
from services.chassis.guards import visible
from services.chassis.storage.batch_writer import BatchWriter
from services.chassis.storage.errors import DatabaseRefused, Duplicate
from services.chassis.storage.mongo import DatabaseIndex
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.calls import CALLS
from tests.support.toy import DropCoin, Jar, OpenJar


async def test_what_waits_at_the_same_moment_is_written_in_one_round_trip(shop: Container) -> None:
    jars = await _jars(shop, 9)
    with CALLS.counted() as calls:
        await asyncio.gather(*(_drop(shop, jar, "once") for jar in jars))
    assert calls["update"] < len(jars) == calls["find"]
    assert [await _total(shop, jar) for jar in jars] == [1] * 9


async def test_one_that_loses_a_race_takes_nothing_from_the_others_and_comes_again(shop: Container) -> None:
    hot, *others = await _jars(shop, 8)
    crowd = [_drop(shop, hot, f"crowd {n}") for n in range(6)]
    await asyncio.gather(*crowd, *(_drop(shop, jar, f"{n}") for jar in others for n in range(3)))
    assert await _total(shop, hot) == 6
    assert [await _total(shop, jar) for jar in others] == [3] * 7
    histories = [await shop.context(toy.KEEPER, "read").store.history(Jar, jar.id) for jar in (hot, *others)]
    causes = [event.cause for history in histories for event in history[1:]]
    assert len(causes) == len(set(causes)) == 6 + 21


async def test_one_that_a_unique_index_refuses_fails_alone(shop: Container) -> None:
    await shop.mongo.build_indexes("things", [DatabaseIndex(("number",), unique=True)])
    for n in range(4):
        await shop.mongo.insert("things", {"_id": n, "number": n})

    async def renumber(n: int, number: int) -> bool:
        return await shop.mongo.update_batched("things", {"_id": n, "number": n}, {"$set": {"number": number}})

    one, wrong, other = await asyncio.gather(renumber(0, 10), renumber(1, 3), renumber(2, 12), return_exceptions=True)
    assert isinstance(wrong, Duplicate)
    assert (one, other) == (False, False)  # written before it was known who was refused: their callers look
    found = await shop.mongo.find("things", {}, sort=[("_id", 1)], limit=4)
    assert [one["number"] for one in found] == [10, 1, 12, 3]


async def test_an_outage_is_heard_by_all_who_were_written_together() -> None:
    async def away(_: str, __: object) -> int:
        await asyncio.sleep(0)
        raise Unavailable(retry_after=2)

    writer = BatchWriter[str](away, away)
    outcomes = await asyncio.gather(*(writer.write("things", one) for one in "abc"), return_exceptions=True)
    assert [type(one) for one in outcomes] == [Unavailable] * 3


async def test_each_hears_its_own_refusal_where_all_are_written_alone() -> None:
    async def one(_: str, write: int) -> int:
        await asyncio.sleep(0)
        if write == 2:
            raise DatabaseRefused("2")
        return 1 if write != 3 else 0

    async def many(_: str, __: Sequence[int]) -> int:
        raise DatabaseRefused("one of them")

    writer = BatchWriter[int](one, many)
    outcomes = await asyncio.gather(*(writer.write("things", n) for n in range(5)), return_exceptions=True)
    assert [outcomes[n] for n in (0, 1, 3, 4)] == [True, True, False, True]
    assert isinstance(outcomes[2], DatabaseRefused)


async def _jars(shop: Container, many: int) -> list[Jar]:
    return [
        await toy.open_jar(shop.context(toy.KEEPER, f"jar {n}", within=visible), OpenJar(label="figs"))
        for n in range(many)
    ]


async def _drop(shop: Container, jar: Jar, cause: str) -> None:
    await toy.drop_coin(shop.context(toy.KEEPER, f"{cause} {jar.id}"), jar.id, DropCoin(coins=1))


async def _total(shop: Container, jar: Jar) -> int:
    return (await shop.context(toy.KEEPER, "read").store.get(Jar, jar.id)).total
