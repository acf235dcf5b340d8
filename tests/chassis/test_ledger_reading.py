"""What the ledger reads with: collections batch by batch, topics from any offset."""

import asyncio

import pytest

from services.chassis.messaging.kafka import BrokerAway, Outgoing, Publisher, TopicMissing, TopicReader, create_topics
from services.chassis.usecase import Container
from tests.support.world import World


async def test_all_documents_are_read_once_in_batches_also_while_others_come_and_go(either: Container) -> None:
    for n in range(5):
        await either.mongo.insert("things", {"_id": f"b{n}", "even": n % 2 == 0})
    met = []
    async for batch in either.mongo.each("things", {}, batch=2):
        met.append([document["_id"] for document in batch])
        await either.mongo.insert("things", {"_id": f"a{len(met)}"})
        await either.mongo.delete("things", {"_id": "b4"})
    assert met == [["b0", "b1"], ["b2", "b3"]]
    assert [d["_id"] async for batch in either.mongo.each("things", {"even": True}, batch=1) for d in batch] == [
        "b0",
        "b2",
    ]


async def test_a_topic_is_read_from_any_offset_up_to_an_end(world: World) -> None:
    topic = f"{world.name}.members.v1"
    await create_topics(world.kafka, {"members": topic}, 1)
    publisher = Publisher(world.kafka)
    await publisher.send([Outgoing(topic, "same", b"%d" % n, {}) for n in range(700)])
    await publisher.stop()
    async with TopicReader(world.kafka).open() as past:
        ((_, partition),) = [place for place, end in (await past.ends(topic)).items() if end == 700]
        read = [r.value async for records in past.read(topic, partition, 3, 600) for r in records]
        assert read == [b"%d" % n for n in range(3, 600)]
        assert await past.committed(f"{world.name}.nobody") == {}
        with pytest.raises(TopicMissing, match="linli migrate"):
            await past.ends("linli.none.v1")


async def test_a_broker_that_is_away_is_said_so() -> None:
    with pytest.raises(BrokerAway):
        async with asyncio.timeout(15), TopicReader("127.0.0.1:1").open():
            pass
