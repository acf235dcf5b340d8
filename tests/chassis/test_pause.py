"""While a reaction catches up the others pause for two seconds at most, however slow it is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis.messaging import consumer
from services.chassis.messaging.control import PAUSED, RUNNING, desired_state
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import AnyReaction, Create, Effect, Reaction, reaction
from services.chassis.operations import backfill as backfills
from services.chassis.usecase import Context
from tests.support.reading import expect_right, settled
from tests.support.road import Road, running
from tests.support.switching import ALL, backfill, group, lease, stop
from tests.support.toy import CoinDropped, Jar, Note, NoteWritten

PAUSES = "the consumer pauses for the last part"


@dataclass
class Slow:
    """A reaction that does not come to an end while the consumer pauses for it, until it is made quick."""

    road: Road
    quick: bool = False
    held_up: list[str] = field(default_factory=list)

    def reaction(self) -> Reaction:
        """As a service declares it."""

        @reaction("slow", CoinDropped)
        async def slow(ctx: Context, delivered: Delivered, event: CoinDropped) -> list[Effect]:
            desired = await desired_state(self.road.hall.mongo, group(self.road))
            if desired.state == PAUSED and not self.quick:
                self.held_up.append(delivered.id)
                await asyncio.Event().wait()
            return [Create.of(Note, ctx, "slow", NoteWritten(about=f"slow {delivered.entity}", coins=event.coins))]

        return slow


async def more(road: Road, jar: Jar, coins: int, one: consumer.Consumer) -> None:
    """Coins fall into a jar, and the consumer has taken that."""
    await road.drop(jar, coins)
    await road.publish()
    await settled(road, one)


async def test_where_the_last_stretch_does_not_end_in_time_the_consumer_continues_and_it_is_tried_again(
    road: Road,
) -> None:
    slow, said, jar = Slow(road), list[str](), await road.jar(1, 2)
    reactions: Sequence[AnyReaction] = [*ALL, slow.reaction()]
    member = await road.consumer(reactions=reactions)
    async with asyncio.timeout(60), running(member), backfill(road, "slow", reactions) as one:
        await stop(road, "slow", member)
        await more(road, jar, 3, member)
        stretch, states = one._last_stretch, list[str]()

        async def watched(*given: Any, **named: Any) -> int | None:
            await more(road, jar, 4 + len(states), member)  # so that something is left for the pause
            read = await stretch(*given, **named)
            states.append((await desired_state(road.hall.mongo, group(road))).state)
            await more(road, jar, 14 + len(states), member)  # the consumer takes what comes
            slow.quick = True
            return read

        one._last_stretch = watched  # type: ignore[method-assign]
        await one.run(lease(road), said.append)
        assert ({*states}, member.off()) == ({RUNNING}, {})
    assert slow.held_up == [f"{jar.id}:5"]
    tries = [line.partition(":")[0] for line in said if "pause" in line]  # more than two where the machine is busy
    assert tries[:3] == [PAUSES, "the pause was too short", PAUSES]
    await expect_right(road, jar)
    assert await road.notes(Jar.blank(f"slow {jar.id}")) == await road.notes(jar)


def test_two_seconds_are_enough_for_the_last_stretch_and_for_the_members_to_continue() -> None:
    until_a_resting_member_looks = consumer._WAIT_MS / 1000
    assert consumer._CONFIRM_SECONDS + consumer._WAIT_MS / 1000 < backfills._FOLLOW_SECONDS
    assert until_a_resting_member_looks <= backfills._RESUME_SECONDS < backfills.PAUSE_SECONDS <= 2
