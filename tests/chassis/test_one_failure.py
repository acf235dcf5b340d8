"""One failure stops one thing: a reaction that fails for ever holds no other one up, and loses nothing itself."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import TopicReader
from services.chassis.messaging.reactions import AnyReaction, Create, Effect, Reaction, reaction
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.filling import fill
from tests.support.road import Road, running, until
from tests.support.switching import ALL, group, known, off, start
from tests.support.toy import CoinDropped, Jar, JarCopy, JarOpened, Note, NoteWritten

WAVES, JARS, DROPS = 10, 200, 4
WAVE = JARS * (1 + DROPS)
"""10,000 events: each jar is opened, and coins are dropped into it."""
COUNTED = 20
"""Of every so many jars one is counted by a use case, whose effect would be seen if it came twice."""
TALLY = "tally"


@dataclass
class Tally:
    """A reaction with both kinds of effect, which can be broken for ever and mended."""

    broken: bool = False
    counted: set[str] = field(default_factory=set)
    calls: int = 0

    def reaction(self) -> Reaction:
        """As a service declares it."""

        @reaction(TALLY, JarOpened, CoinDropped)
        async def tally(ctx: Context, delivered: Delivered, event: JarOpened | CoinDropped) -> list[Effect]:
            self.calls += 1
            if self.broken:
                raise ValueError
            if isinstance(event, JarOpened):
                if delivered.entity in self.counted:
                    await toy.begin_sum(ctx, delivered.entity)
                return []
            if delivered.entity in self.counted:
                await toy.add_up(ctx, delivered.entity, event.coins)
            return [Create.of(Note, ctx, TALLY, NoteWritten(about=f"{TALLY} {delivered.entity}", coins=event.coins))]

        return tally


async def behind(road: Road, past: TopicReader) -> int:
    """How many records the group has not confirmed."""
    ends, confirmed = await past.ends(road.topic), await past.committed(group(road))
    return sum(end - confirmed.get(place, 0) for place, end in ends.items())


async def wave(road: Road, past: TopicReader, coins: Iterator[int], tally: Tally) -> dict[str, Sequence[int]]:
    """Many jars, published; until the group has confirmed all of it."""
    jars = await fill(road, [[*islice(coins, DROPS)] for _ in range(JARS)])
    tally.counted |= {*islice(jars, 0, None, COUNTED)}
    await road.publish()

    async def confirmed() -> bool:
        return await behind(road, past) == 0

    await until(confirmed)
    return jars


async def replay(road: Road) -> None:
    """What `linli parked replay` does with everything, until nothing is parked."""
    while await road.hall.mongo.update("parked", {"replay": {"$exists": False}}, {"$set": {"replay": True}}):
        continue

    async def drained() -> bool:
        return not await road.hall.mongo.count("parked", {}, limit=1)

    await until(drained)


async def expect_each_once(road: Road, jars: dict[str, Sequence[int]], tally: Tally) -> None:
    """Every event has had its effect in each of the three reactions, once and in order."""
    notes = await road.hall.mongo.find(Note.collection(), {}, limit=100_000)
    noted = Counter((note["state"]["about"], note["state"]["coins"]) for note in notes)
    both = [(about, n) for jar, drops in jars.items() for n in drops for about in (jar, f"{TALLY} {jar}")]
    assert noted == Counter(both)
    copies = await road.hall.mongo.find(JarCopy.collection(), {}, limit=100_000)
    kept = {copy["_id"]: (copy["version"], copy["state"]["total"]) for copy in copies}
    assert kept == {jar: (1 + len(drops), sum(drops)) for jar, drops in jars.items()}
    for jar in tally.counted:
        assert (await road.sum(Jar.blank(jar))).order == [0, *jars[jar]]


async def consumer_with(road: Road, tally: Tally) -> tuple[Consumer, Sequence[AnyReaction]]:
    """A consumer with two reactions besides."""
    reactions = [*(one for one in ALL if one.name != "count-coins"), tally.reaction()]
    return await road.consumer(reactions=reactions), reactions


async def test_beside_one_that_fails_for_ever_the_others_stay_at_the_end_and_after_the_fix_nothing_is_missing(
    road: Road,
) -> None:
    tally, coins = Tally(), count(1)
    consumer, reactions = await consumer_with(road, tally)
    async with TopicReader(road.world.kafka).open() as past, running(consumer):
        jars = await wave(road, past, coins, tally)
        tally.broken = True
        jars |= await wave(road, past, coins, tally)
        await off(road, TALLY)
        calls, waiting = tally.calls, 0
        parked = await road.hall.mongo.count("parked", {}, limit=10_000)
        for number in range(2, WAVES):
            jars |= await wave(road, past, coins, tally)  # which the group has confirmed before the next one comes
            confirmed = await past.committed(group(road))
            waiting = (await known(road))[TALLY].behind(confirmed)
            assert 0 <= number * WAVE - waiting <= WAVE
        assert tally.calls == calls  # it is not even asked
        assert await road.hall.mongo.count("parked", {}, limit=10_000) == parked <= 2 * 21 * (1 + DROPS)
        assert [*consumer.off()] == [TALLY]
        tally.broken = False
        assert waiting <= await start(road, TALLY, reactions) <= waiting + WAVE
        assert consumer.stopped() is None
        await replay(road)
        jars |= await wave(road, past, coins, tally)
        assert consumer.off() == {}
    await expect_each_once(road, jars, tally)
