"""What a reaction wants is said by the event alone: the rest is not looked up, not remembered, and not missed."""

from collections.abc import Sequence
from dataclasses import replace

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka.records import incoming
from services.chassis.messaging.reactions import Create, Effect, reaction
from services.chassis.operations.ledger.reactions import Remembered
from services.chassis.usecase import Context
from tests.support.calls import queries
from tests.support.reading import consume
from tests.support.road import Road
from tests.support.toy import CoinDropped, Note, NoteWritten


def many(event: CoinDropped) -> bool:
    """More than five at once."""
    return event.coins > 5


@reaction("note-many", CoinDropped, when=many)
async def note_many(ctx: Context, delivered: Delivered, event: CoinDropped) -> Sequence[Effect]:
    """Note a drop of many."""
    return [Create.of(Note, ctx, "many", NoteWritten(about=delivered.entity, coins=event.coins))]


async def test_what_is_not_wanted_costs_no_query_and_leaves_no_memory(road: Road) -> None:
    few, both = await road.jar(1, 2), await road.jar(3, 9, 4)
    await road.publish()
    asked = queries(road.hall.mongo)
    await consume(road, reactions=(note_many,))
    assert (await road.notes(few), await road.notes(both)) == ([], [9])
    assert {id for name, where in asked if name == "seen" for id in where["_id"]["$in"]} == {f"note-many|{both.id}"}
    seen = await road.hall.mongo.find("seen", {}, limit=10)
    assert [(one["_id"], one["version"]) for one in seen] == [(f"note-many|{both.id}", 3)]


async def test_the_ledger_misses_nothing_that_was_not_wanted_and_all_that_was(road: Road) -> None:
    await road.jar(1, 9, 2)
    await road.publish()
    events = [Delivered.of(incoming(record)) for record in await road.records()]
    before = Remembered(road.hall.mongo, note_many, {})
    await before.take(events)
    assert (before.line().counts, before.line().breaches) == ({"not wanted": 3}, 1)
    await consume(road, reactions=(note_many,))
    after = Remembered(road.hall.mongo, note_many, {})
    await after.take(events)
    assert (after.line().counts, after.line().breaches) == ({"not wanted": 3, "done": 1}, 0)


def fails(_: CoinDropped) -> bool:
    """Cannot say."""
    raise ZeroDivisionError


async def test_where_the_predicate_itself_fails_the_event_is_wanted(road: Road) -> None:
    jar = await road.jar(3)
    await road.publish()
    await consume(road, reactions=(replace(note_many, when=fails),))
    assert await road.notes(jar) == [3]


async def test_an_event_that_cannot_be_read_is_wanted_and_parked(road: Road) -> None:
    jar = await road.jar()
    made = {"ce_id": f"{jar.id}:2", "ce_type": CoinDropped.type_name(), "ce_schema": "1", "ce_actor": "keeper"}
    headers = {**made, "ce_time": "2026-01-01T00:00:00+00:00"}
    await road.put(jar.id, b'{"coins": "many"}', [(name, value.encode()) for name, value in headers.items()])
    await consume(road, reactions=(note_many,))
    assert await road.parked() == [("note-many", f"{jar.id}:2", False)]
