"""What a consumer of the hall makes of the road: read to its end, and looked at."""

from typing import Any

from services.chassis.messaging.consumer import Consumer
from tests.support.road import Road, running, until
from tests.support.toy import Jar


async def settled(road: Road, consumer: Consumer) -> None:
    """Everything that is on the topic has been read and confirmed."""
    ends = {(r.topic, r.partition): r.offset + 1 for r in await road.records()}

    async def read() -> bool:
        kafka = consumer._reader._consumer
        committed = [await kafka.committed(place) or 0 for place in kafka.assignment()]
        return bool(sum(committed) >= sum(ends.values()))

    await until(read)


async def consume(road: Road, consumer: Consumer | None = None, **more: Any) -> None:
    """Read everything there is."""
    consumer = consumer or await road.consumer(**more)
    async with running(consumer):
        await settled(road, consumer)


async def expect_right(road: Road, *jars: Jar) -> None:
    """The hall has counted, noted and copied just what is in these jars, in order."""
    for jar in jars:
        kept = await road.shop.mongo.find_one("jars", {"_id": jar.id})
        assert kept is not None
        drops = [e["data"]["coins"] for e in await road.history(kept) if e["type"].endswith("CoinDropped")]
        total = await road.sum(jar)
        assert (total.total, total.order) == (sum(drops), [0, *drops])
        assert await road.notes(jar) == sorted(drops)
        copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
        assert copy is not None
        assert (copy["state"]["total"], copy["version"]) == (sum(drops), kept["version"])


def headers(jar: Jar, version: int, type: str, schema: int = 1) -> list[tuple[str, bytes]]:
    made = {"ce_id": f"{jar.id}:{version}", "ce_type": type, "ce_schema": str(schema), "ce_actor": "keeper"}
    return [(n, v.encode()) for n, v in {**made, "ce_time": "2026-01-01T00:00:00+00:00"}.items()]
