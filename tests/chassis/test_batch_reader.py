"""Look-ups by id that are made at the same moment share one round trip, and each gets what it asked for."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.storage.mongo import Document, New
from services.chassis.usecase import Container
from tests.support.calls import CALLS

COLLECTIONS = ("apples", "pears", "plums")
LOOK_UPS = st.tuples(
    st.sampled_from(COLLECTIONS),
    st.sets(st.integers(0, 40).map(str), max_size=30),
    st.sampled_from([None, {"n": 1}, {"dear": 0}]),
)


async def fill(shop: Container) -> None:
    """The same ids in each collection, 0 to 29; those from 30 on are nowhere."""
    for name in COLLECTIONS:
        await shop.mongo.bulk(name, [New(document(name, f"{n}")) for n in range(30)])


def document(name: str, id: str) -> Document:
    return {"_id": id, "n": int(id), "dear": name == "plums", "of": name}


async def test_look_ups_in_several_collections_cost_one_call(shop: Container) -> None:
    await fill(shop)
    with CALLS.counted() as calls:
        found = await asyncio.gather(*(shop.mongo.by_ids(name, ["1", "2", "99"]) for name in COLLECTIONS))
    assert dict(calls) == {"aggregate": 1}
    assert found == [{id: document(name, id) for id in ("1", "2")} for name in COLLECTIONS]


async def test_one_alone_is_a_query_and_none_at_all_asks_nothing(shop: Container) -> None:
    await fill(shop)
    with CALLS.counted() as calls:
        assert await shop.mongo.by_ids("pears", {"7"}, {"n": 1}) == {"7": {"_id": "7", "n": 7}}
        assert await shop.mongo.by_ids("pears", []) == {}
    assert dict(calls) == {"find": 1}


async def test_a_large_one_keeps_no_small_one_waiting(shop: Container) -> None:
    await fill(shop)
    with CALLS.counted() as calls:
        large, small = await asyncio.gather(
            shop.mongo.by_ids("pears", [f"{n}" for n in range(30)]), shop.mongo.by_ids("plums", ["3"])
        )
    assert dict(calls) == {"find": 2}
    assert (len(large), list(small)) == (30, ["3"])


async def test_a_collection_that_does_not_exist_yet_hides_nothing_of_the_others(shop: Container) -> None:
    await fill(shop)
    nothing, something = await asyncio.gather(shop.mongo.by_ids("none", ["1"]), shop.mongo.by_ids("plums", ["1"]))
    assert (nothing, list(something)) == ({}, ["1"])


@given(st.lists(LOOK_UPS, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_asked_for_together_each_gets_what_it_would_get_alone(shop, asked) -> None:  # type: ignore[no-untyped-def]
    await fill(shop)
    together = await asyncio.gather(*(shop.mongo.by_ids(*one) for one in asked))
    alone = [
        {d["_id"]: d for d in await shop.mongo.find(name, {"_id": {"$in": [*ids]}}, show=show, limit=99)}
        for name, ids, show in asked
    ]
    assert together == alone
