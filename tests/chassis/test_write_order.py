"""The order of writes: what one event has written stands in the order in which its reaction returns it."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Create, Effect, Write, in_stages, reaction
from services.chassis.storage.mongo import New, Put
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.reading import consume
from tests.support.road import Road
from tests.support.toy import CoinDropped


def write(collection: str, id: str) -> Write:
    return collection, New({"_id": id})


def ids(stages: list[tuple[str, list[Put | New]]]) -> list[tuple[str, list[str]]]:
    return [(name, [one.document["_id"] for one in writes if isinstance(one, New)]) for name, writes in stages]


def test_each_event_keeps_its_order_and_the_batch_needs_one_round_trip_for_each_stage() -> None:
    first = [write("z", "1a"), write("z", "1b"), write("a", "1c")]
    second = [write("z", "2a"), write("a", "2b")]
    assert ids(in_stages([first, second])) == [("z", ["1a", "1b", "2a"]), ("a", ["1c", "2b"])]


def test_a_collection_that_comes_again_in_one_event_is_written_again() -> None:
    event = [write("b", "1"), write("a", "2"), write("b", "3")]
    assert ids(in_stages([event])) == [("b", ["1"]), ("a", ["2"]), ("b", ["3"])]


@pytest.mark.parametrize("order", [("sums", "notes"), ("notes", "sums")])
async def test_the_consumer_writes_effects_in_the_order_of_the_reaction(
    road: Road, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    made = {
        "sums": lambda ctx, event: Create.of(toy.Sum, ctx, "sum", toy.Counted(coins=event.coins, jar_id="jar_1")),
        "notes": lambda ctx, event: Create.of(toy.Note, ctx, "note", toy.NoteWritten(about="x", coins=event.coins)),
    }
    written: list[str] = []
    bulk = road.hall.mongo.bulk

    async def noted(name: str, writes: Any) -> int:
        written.append(name)
        return await bulk(name, writes)

    @reaction("write-both", CoinDropped)
    async def write_both(ctx: Context, _: Delivered, event: CoinDropped) -> Sequence[Effect]:
        return [made[name](ctx, event) for name in order]

    monkeypatch.setattr(road.hall.mongo, "bulk", noted)
    await road.jar(1)
    await road.publish()
    await consume(road, reactions=[write_both])
    assert [name for name in written if name in order] == [*order]
