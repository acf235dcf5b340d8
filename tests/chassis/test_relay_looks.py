"""When the relay reads: what the notifier names, what a round left, and everything now and then."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence, Sized
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.messaging import relay as relay_module
from services.chassis.messaging.kafka import BrokerAway, Publisher
from services.chassis.messaging.reactions import Create
from services.chassis.messaging.relay import Relay
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import Document
from tests.support.road import Road, in_batches_of, until
from tests.support.toy import Jar, Note, NoteWritten, Sum


async def test_a_relay_with_nothing_to_do_reads_all_now_and_then_and_not_more_often(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 1.5)
    relay, rounds = road.relay(), [0]
    round = relay.round

    async def counted(names: Collection[str] | None = None) -> int:
        rounds[0] += 1
        return await round(names)

    relay.round = counted  # type: ignore[method-assign]
    working = asyncio.create_task(relay.run(Lease(road.shop.mongo, "relay", "shop-0", 30), road.shop.changes))
    await asyncio.sleep(3.8)
    assert rounds[0] <= 5  # at its start, when it begins to listen, and once or twice more

    async def swept() -> bool:
        return rounds[0] >= 3

    await until(swept)
    jar = await road.jar(1)

    async def out() -> bool:
        kept = await road.shop.mongo.find_one("jars", {"_id": jar.id})
        return kept is not None and kept["published"] == kept["version"]

    await until(out)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


@asynccontextmanager
async def relaying(road: Road, relay: Relay | None = None) -> AsyncIterator[None]:
    """A relay at work."""
    relay = relay or road.relay()
    working = asyncio.create_task(relay.run(Lease(road.shop.mongo, "relay", "shop-0", 60), road.shop.changes))
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def out(road: Road) -> bool:
    """Whether all that was recorded is published."""
    return await road.shop.mongo.count("jars", {"pending": {"$exists": True}}, limit=1) == 0


async def test_a_relay_that_waits_is_woken_by_a_write(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_LOOK_SECONDS", 600.0)  # longer than any test: only a write can wake it
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 600.0)
    async with relaying(road):
        await road.jar(1)
        await until(lambda: out(road))
        await asyncio.sleep(0.3)  # it waits for its notifier
        await road.jar(1)
        await until(lambda: out(road))


async def test_a_relay_reads_only_the_collections_that_are_named_and_all_now_and_then(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 600.0)
    relay, read = road.relay(), list[Collection[str] | None]()
    relay._kinds = (Jar, Sum)
    round = relay.round

    async def noted(names: Collection[str] | None = None) -> int:
        read.append(names)
        return await round(names)

    relay.round = noted  # type: ignore[method-assign]
    working = asyncio.create_task(relay.run(Lease(road.shop.mongo, "relay", "shop-0", 60), road.shop.changes))
    await until(lambda: quiet(read, 2))
    assert read[:2] == [{"jars", "sums", "keys"}] * 2  # at its start, and when it begins to listen
    await road.jar(1)
    await until(lambda: out(road))
    assert {"sums"} & set().union(*(names or () for names in read[2:])) == set()
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 0.0)
    rounds = len(read) + 1
    await until(lambda: quiet(read, rounds))
    assert read[-1] == {"jars", "sums", "keys"}
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_what_a_full_batch_left_in_other_collections_does_not_wait_until_all_are_read_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 600.0)
    in_batches_of(2, monkeypatch)
    for _ in range(4):  # two rounds: at the start, and when it begins to listen, all collections are read anyhow
        await road.jar()
    await later_than_all_jars(road)
    relay = road.relay()
    relay._kinds = (Jar, Note)
    async with relaying(road, relay):

        async def published() -> bool:
            return await road.shop.mongo.count("notes", {"pending": {"$exists": True}}, limit=1) == 0

        await until(published)


async def later_than_all_jars(road: Road) -> None:
    """A note in the shop, of which the notifier says nothing: the relay has not begun to listen."""
    ctx = road.shop.system_context("note-coins", "event:one:note-coins", None)
    note = Create.of(Note, ctx, "note", NoteWritten(about="jar_one", coins=1))
    origin = Origin(now(), "note-coins", road.shop.city, "event:one:note-coins", None, None)
    for collection, write in note.writes(origin):
        await road.shop.mongo.bulk(collection, [write])


async def test_an_event_that_is_recorded_while_an_earlier_one_is_sent_follows_at_once(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 600.0)
    relay, jars = road.relay(), list[Jar]()
    send = relay.send

    async def meanwhile(documents: Sequence[Document]) -> dict[str, int]:
        published = await send(documents)
        while jars:  # it is pending already, so nothing but its version says that there is more
            await road.drop(jars.pop(), 1)
        return published

    relay.send = meanwhile  # type: ignore[method-assign]
    async with relaying(road, relay):
        await asyncio.sleep(0.5)  # it waits for its notifier
        jars.append(await road.jar())
        await until(lambda: out(road))
    assert not jars


async def test_what_was_not_acknowledged_is_sent_again_at_once(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_SWEEP_SECONDS", 600.0)

    class Refusing(Publisher):
        left = 2

        async def send(self, records: Sequence[Any]) -> list[BaseException | None]:
            self.left -= bool(records)
            return [BrokerAway("not in sync") for _ in records] if self.left >= 0 else await super().send(records)

    publisher = road.publisher(kind=Refusing)
    async with relaying(road, road.relay(publisher)):
        await asyncio.sleep(0.5)  # it waits for its notifier
        await road.jar()
        await until(lambda: out(road))
    assert isinstance(publisher, Refusing)
    assert publisher.left == -1


async def quiet(read: Sized, rounds: int) -> bool:
    """Whether it has made so many rounds."""
    return len(read) >= rounds


async def test_a_relay_with_more_than_one_batch_to_send_linger_seconds_only_after_the_last(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_batches_of(2, monkeypatch)
    for _ in range(9):
        await road.jar()
    working = asyncio.create_task(slow(road).run(Lease(road.shop.mongo, "relay", "shop-0", 60), road.shop.changes))
    async with asyncio.timeout(20):
        await until(lambda: out(road))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def slow(road: Road) -> Relay:
    """A relay that would gather for a minute."""
    relay = road.relay()
    relay._linger_seconds = 60.0
    return relay
