"""Three ways to take what waits on a topic into a database, each alone in a process: notify's, and two to compare.

The clock runs from when all partitions are given out until the last event is confirmed.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import ConsumerControl
from services.chassis.messaging.kafka import PARTITIONS, Incoming, Reader
from services.chassis.messaging.kafka.records import incoming
from services.chassis.messaging.switching import register
from services.chassis.runtime import entry
from services.chassis.runtime.service import open_container
from services.chassis.storage.mongo import Mongo, Put, connect
from services.chassis.telemetry import logs
from services.notify.app import service
from tests.support.operating import settings_of

GIVE_UP_SECONDS = 180.0
# One group of records of the hand-made consumer, and so one bulk write.
TOGETHER = 1_000
_SPOKEN = "您的诉求已由河畔街道综合服务站受理。"


@dataclass(frozen=True)
class Job:
    """What waits for whom: settings, topic, how many events, and where the log goes."""

    environment: Mapping[str, str]
    topic: str
    total: int
    log: Path


@dataclass(frozen=True)
class Taken:
    """How long it took, and how much processor time of this process (both in seconds)."""

    seconds: float
    processor: float


def by_notify(job: Job) -> Taken:
    """All that its worker does with events, and nothing beside it: no relay, no timers, no keys."""
    return _alone(_by_notify, job)


def by_faststream(job: Job) -> Taken:
    """FastStream with one consumer for each partition: one upsert, then the confirmation, event by event."""
    return _alone(_by_faststream, job)


def by_hand(job: Job) -> Taken:
    """As fast as it goes by hand: one bulk of upserts for what was fetched, then one confirmation."""
    return _alone(_by_hand, job)


def _alone(work: Callable[[Job], Awaitable[float]], job: Job) -> Taken:
    async def timed() -> Taken:
        before = time.process_time()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            seconds = await work(job)
        return Taken(seconds, time.process_time() - before)

    entry.freeze()  # as every process of ours begins; the others gain by it too
    with job.log.open("a") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        return uvloop.run(timed())


class _Counting(Reader):
    """A member that knows when all is confirmed: the topic is as long as there are events."""

    def __init__(self, *args: Any, total: int) -> None:
        super().__init__(*args)
        self._reached: dict[tuple[str, int], int] = {}
        self._total = total
        self.done = asyncio.Event()

    async def commit(self, read: Sequence[Incoming]) -> bool:
        """As ever."""
        confirmed = await super().commit(read)
        if confirmed:
            self._reached |= {(record.topic, record.partition): record.offset + 1 for record in read}
            if sum(self._reached.values()) == self._total:
                self.done.set()
        return confirmed


async def _by_notify(job: Job) -> float:
    settings = settings_of(job.environment)
    logs.start("notify", "worker", settings.log_level)
    container, group, member = open_container(service, settings), settings.group("notify"), "notify-0"
    await register(container.mongo, group, service.all_reactions, {})
    reader = _Counting(settings.kafka, [job.topic], group, member, total=job.total)
    await reader.start()
    await _until(lambda: len(reader.assigned()) == PARTITIONS)
    consumer = Consumer(
        container,
        reader,
        service.all_reactions,
        ConsumerControl(container.mongo, group, member),
        settings.most_failures,
    )
    began = time.perf_counter()
    running = asyncio.create_task(consumer.run())
    done = asyncio.create_task(reader.done.wait())
    await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
    seconds = time.perf_counter() - began
    consumer.finish()
    await running
    assert reader.done.is_set()
    await reader.stop()
    await container.mongo.close()
    return seconds


async def _by_faststream(job: Job) -> float:
    settings = settings_of(job.environment)
    mongo = connect(settings.database("notify"), settings.mongo_driver)
    broker = KafkaBroker(settings.kafka, logger=None)
    reported, open_now, all_told = set[str](), asyncio.Event(), asyncio.Event()

    @broker.subscriber(
        job.topic,
        group_id="bench-faststream",
        auto_offset_reset="earliest",
        max_workers=PARTITIONS,
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    async def handle(data: dict[str, Any], message: KafkaMessage) -> None:
        await open_now.wait()
        id = message.headers["ce_id"]
        await mongo.update("by_faststream", *_upsert(id, message.headers, data), upsert=True)
        reported.add(id)
        if len(reported) == job.total:
            all_told.set()

    await broker.start()
    # Its members join one after the other; until each has its partition the first events wait in the handler.
    await _until(lambda: all(len(member.assignment()) == 1 for member in _members(broker)))
    began = time.perf_counter()
    open_now.set()
    await all_told.wait()
    seconds = time.perf_counter() - began
    await broker.stop()
    await mongo.close()
    return seconds


async def _by_hand(job: Job) -> float:
    settings = settings_of(job.environment)
    mongo = connect(settings.database("notify"), settings.mongo_driver)
    consumer = AIOKafkaConsumer(
        job.topic,
        bootstrap_servers=settings.kafka,
        group_id="bench-by-hand",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    await _until(lambda: len(consumer.assignment()) == PARTITIONS)
    began, done = time.perf_counter(), 0
    while done < job.total:
        batches = await consumer.getmany(timeout_ms=250, max_records=TOGETHER)
        records = [incoming(record) for batch in batches.values() for record in batch]
        await _write(mongo, records)
        await consumer.commit()
        done += len(records)
    seconds = time.perf_counter() - began
    await consumer.stop()
    await mongo.close()
    return seconds


async def _write(mongo: Mongo, records: Sequence[Incoming]) -> None:
    writes = [Put(*_upsert(record.headers["ce_id"], record.headers, {}), upsert=True) for record in records]
    await mongo.bulk("by_hand", writes)


def _upsert(id: str, headers: Mapping[str, str], data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A message as simple as it can be: nobody is looked up, nothing is sealed, no line, no memory."""
    content = {"type": headers["ce_type"], "about": headers["ce_subject"], "at": headers["ce_time"], "data": {**data}}
    return {"_id": id}, {"$set": {**content, "body": _SPOKEN, "read": False}}


def _members(broker: KafkaBroker) -> Sequence[AIOKafkaConsumer]:
    (subscriber,) = broker.subscribers
    members: Sequence[AIOKafkaConsumer] = subscriber.consumer_subgroup  # type: ignore[attr-defined]
    return members


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - the group tells nobody but the member itself
        await asyncio.sleep(0.01)
