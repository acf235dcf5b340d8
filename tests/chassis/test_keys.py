"""The keeper of keys: what a service keeps of the keys that the minting service sends round."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from services.chassis.domain.entity import Entity
from services.chassis.domain.values import now
from services.chassis.messaging.kafka import Incoming, Outgoing, Reader
from services.chassis.messaging.keys import KeyKeeper
from tests.support.road import Road, until

ANN, BEN = "person_ann", "person_ben"


async def keeping(road: Road, topic: str, own: Sequence[type[Entity[Any]]] = ()) -> None:
    """The hall's keeper at work until it has confirmed all that is there."""
    reader = Reader(road.world.kafka, [topic], f"{road.world.name}.keys", "hall-0")
    await reader.start()
    road.readers.append(reader)
    ends = {record.partition: record.offset + 1 for record in await road.records(topic)}
    working = asyncio.create_task(KeyKeeper(road.hall.vault, reader, own).run())

    async def read() -> bool:
        kafka = reader._consumer
        confirmed = [await kafka.committed(place) or 0 for place in kafka.assignment()]
        return bool(sum(confirmed) == sum(ends.values()))

    await until(read)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await reader.stop()  # so that the next one need not wait for its end
    road.readers.remove(reader)


async def test_an_erasure_is_final_also_where_an_older_record_comes_behind_it(road: Road) -> None:
    topic = road.world.settings().topic("keys")
    for person in (ANN, BEN):
        await road.shop.vault.mint(person, now())
    sealed = {person: road.shop.vault.seal("a name", person, "name") for person in (ANN, BEN)}
    wrapped = {key["_id"]: bytes(key["wrapped"]) for key in await road.shop.mongo.find("keys", {}, limit=9)}
    values = [(ANN, wrapped[ANN]), (BEN, wrapped[BEN]), (ANN, None), (ANN, wrapped[ANN])]
    await road.publisher().send([Outgoing(topic, person, value, {}) for person, value in values])
    await keeping(road, topic)
    await road.hall.vault.ensure_keys([ANN, BEN])
    assert road.hall.vault.open(sealed[ANN], ANN, "name") is None
    assert road.hall.vault.open(sealed[BEN], BEN, "name") == "a name"


async def test_keys_that_come_one_after_the_other_are_confirmed_together(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, publisher, commit, confirmed = (
        road.world.settings().topic("keys"),
        road.publisher(),
        Reader.commit,
        list[int](),
    )

    async def noted(self: Reader, read: Sequence[Incoming]) -> bool:
        confirmed.append(len(read))
        return await commit(self, read)

    monkeypatch.setattr(Reader, "commit", noted)
    people = [f"person_{number}" for number in range(8)]
    for person in people:
        await road.shop.vault.mint(person, now())
    wrapped = {key["_id"]: bytes(key["wrapped"]) for key in await road.shop.mongo.find("keys", {}, limit=9)}

    reader = Reader(road.world.kafka, [topic], f"{road.world.name}.keys", "hall-0")
    await reader.start()
    road.readers.append(reader)
    working = asyncio.create_task(KeyKeeper(road.hall.vault, reader).run())
    for person in people:
        await publisher.send([Outgoing(topic, person, wrapped[person], {})])
        await asyncio.sleep(0.05)

    async def kept() -> bool:
        return not await road.hall.vault.prefetch_keys(people)

    await until(kept)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(confirmed) < len(people) / 2
