"""The memory of reactions in one batch: what had its effect is remembered, whatever comes after it."""

from collections.abc import Sequence

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Create, Effect, reaction
from services.chassis.usecase import Context
from tests.support.reading import consume
from tests.support.road import Road
from tests.support.toy import CoinDropped, Note, NoteWritten


async def test_what_came_before_an_event_that_has_to_wait_is_written_and_does_not_come_again(road: Road) -> None:
    jar = await road.jar(1, 2, 3)
    await road.publish()
    came: list[int] = []

    @reaction("note-in-time", CoinDropped)
    async def note_in_time(ctx: Context, delivered: Delivered, event: CoinDropped) -> Sequence[Effect]:
        came.append(event.coins)
        if came.count(3) == 1 and event.coins == 3:
            raise Unavailable(retry_after=1)
        return [Create.of(Note, ctx, "note", NoteWritten(about=delivered.entity, coins=event.coins))]

    await consume(road, reactions=[note_in_time])
    assert came == [1, 2, 3, 3]
    notes = await road.hall.mongo.find(Note.collection(), {}, sort=[("state.coins", 1)], limit=9)
    assert [(note["state"]["about"], note["state"]["coins"]) for note in notes] == [(jar.id, n) for n in (1, 2, 3)]
    assert await road.parked() == []
