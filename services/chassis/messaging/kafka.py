"""Kafka: the only file that knows aiokafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
)
from aiokafka.partitioner import murmur2

PARTITIONS = 12
_SECONDS = 10.0
_MS = 10_000

EVENTS = {"cleanup.policy": "delete", "retention.ms": "-1"}
KEYS = {"cleanup.policy": "compact", "retention.ms": "-1"}
TOPICS = {"members": EVENTS, "requests": EVENTS, "notify": EVENTS, "keys": KEYS}
"""Every topic and its configuration; events are kept for ever, keys by their last value."""


class BrokerAway(Exception):
    """The broker cannot be reached or does not answer in time."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to be sent."""

    topic: str
    key: str
    value: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: dict[str, str]


class Publisher:
    """Sends records in order and waits for all copies; after any error its producer is thrown away.

    A failed idempotent producer never resets its sequence numbers: going on with it poisons the partition.
    """

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Outgoing]) -> list[BaseException | None]:
        """Send all, in order; for each None once every copy has it, else its error. BrokerAway without a broker."""
        producer = await self._started()
        waiting = [await self._enqueue(producer, record) for record in records]
        try:
            async with asyncio.timeout(_SECONDS * 3):
                outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        except TimeoutError:
            await self._discard()
            raise BrokerAway("no acknowledgement in time") from None
        failed = [o if isinstance(o, BaseException) else None for o in outcomes]
        if any(failed):
            await self._discard()
        return failed

    async def stop(self) -> None:
        """Send what is held and close, within five seconds."""
        await self._discard(5)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._brokers,
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                compression_type="lz4",
                request_timeout_ms=_MS,
            )
            try:
                async with asyncio.timeout(_SECONDS):
                    await producer.start()
            except (TimeoutError, KafkaError) as error:
                await _within(2, producer.stop())
                raise BrokerAway(str(error)) from error
            self._producer = producer
        return self._producer

    async def _enqueue(self, producer: AIOKafkaProducer, record: Outgoing) -> Awaitable[Any]:
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        try:
            async with asyncio.timeout(_SECONDS):
                future: Awaitable[Any] = await producer.send(
                    record.topic, record.value, key=record.key.encode(), headers=headers
                )
        except TimeoutError:
            await self._discard()
            raise BrokerAway("the producer's buffer stays full") from None
        except KafkaError as error:
            return _failed(error)
        return future

    async def _discard(self, seconds: float = 1) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _within(seconds, producer.stop())


class Reader:
    """A member of a consumer group with a static id, so that a restart takes its partitions back at once."""

    def __init__(self, brokers: str, topics: Sequence[str], group: str, member: str, listener: Any = None) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers,
            group_id=group,
            group_instance_id=member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=30_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_records=200,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=30_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self._topics = topics
        self._listener = listener

    async def start(self) -> None:
        """Join the group; BrokerAway where there is no broker."""
        self._consumer.subscribe(self._topics, listener=self._listener)
        try:
            await self._consumer.start()
        except (KafkaConnectionError, KafkaTimeoutError) as error:
            await self.stop()
            raise BrokerAway(str(error)) from error

    async def poll(self, wait_ms: int) -> list[list[Incoming]]:
        """What has come, in order, a list for each partition; empty after ``wait_ms`` without anything."""
        batches = await self._consumer.getmany(timeout_ms=wait_ms)
        return [[_incoming(record) for record in records] for records in batches.values()]

    async def commit(self, read: Sequence[Incoming]) -> bool:
        """Confirm these and all before them; False where a partition went elsewhere meanwhile."""
        offsets = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in read}
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            return False
        except (KafkaConnectionError, RequestTimedOutError) as error:
            raise BrokerAway(str(error)) from error
        return True

    def assigned(self) -> frozenset[tuple[str, int]]:
        """The partitions that are ours."""
        return frozenset((p.topic, p.partition) for p in self._consumer.assignment())

    def lags(self) -> dict[tuple[str, int], int]:
        """Records not yet read, of each partition that is ours, as far as the last fetch knows."""
        found = {}
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            state = self._consumer._subscription.subscription.assignment.state_value(partition)
            if end is not None and state is not None and state.has_valid_position:
                found[partition.topic, partition.partition] = max(0, end - state.position)
        return found

    async def stop(self) -> None:
        """Leave quietly, within five seconds; a static member keeps its partitions for its next start."""
        await _within(5, self._consumer.stop())


class Past:
    """Topics from any offset, read without a group; for checks and repairs. BrokerAway without a broker."""

    def __init__(self, brokers: str) -> None:
        # A short wait for records: requests behind a fetch on the same connection wait with it.
        self._consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, fetch_max_wait_ms=20)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=_MS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Connected as long as the block lasts."""
        try:
            await _in_time(self._consumer.start())
            await _in_time(self._admin.start())
            yield self
        finally:
            await _within(2, self._admin.close())
            await _within(2, self._consumer.stop())

    async def ends(self, topic: str) -> dict[tuple[str, int], int]:
        """The offset behind the last record of each partition; LookupError for a topic that is not there."""
        if topic not in await _in_time(self._consumer.topics()):
            raise LookupError(f"there is no topic {topic}: run `linli migrate`")
        found = await _in_time(self._consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)]))
        return {(p.topic, p.partition): end for p, end in found.items()}

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """How far a group has confirmed; partitions of which it has confirmed nothing are left out."""
        found = await _in_time(self._admin.list_consumer_group_offsets(group))
        return {(p.topic, p.partition): known.offset for p, known in found.items() if known.offset >= 0}

    async def read(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[list[Incoming]]:
        """The records of one partition from ``start`` up to, but without, ``end``, in batches."""
        self._consumer.assign([place := TopicPartition(topic, partition)])
        self._consumer.seek(place, start)
        position = start
        while position < end:
            batches = await self._consumer.getmany(place, timeout_ms=_MS)
            if (reached := await _in_time(self._consumer.position(place))) == position:
                raise BrokerAway(f"{topic}-{partition} cannot be read beyond {position}")
            position = reached
            yield [_incoming(r) for r in batches.get(place, ()) if r.offset < end]


def partition_of(key: str) -> int:
    """The partition on which the producer puts records of this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


async def create_topics(brokers: str, names: Mapping[str, str], replicas: int) -> list[str]:
    """Make the topics that are missing (``names``: full name by short name) and return the wrongly configured ones."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=_MS)
    try:
        async with asyncio.timeout(_SECONDS * 3):
            await admin.start()
            known = set(await admin.list_topics())
            fresh = [
                NewTopic(full, PARTITIONS, replicas, topic_configs=TOPICS[short])
                for short, full in names.items()
                if full not in known
            ]
            with suppress(TopicAlreadyExistsError):
                await admin.create_topics(fresh)
            return await _differing(admin, names)
    except (TimeoutError, KafkaConnectionError) as error:
        raise BrokerAway(str(error)) from error
    finally:
        await _within(2, admin.close())


async def group_has_offsets(brokers: str, group: str) -> bool:
    """Whether a consumer group has ever confirmed anything."""
    async with Past(brokers).open() as past:
        return bool(await past.committed(group))


async def _differing(admin: AIOKafkaAdminClient, names: Mapping[str, str]) -> list[str]:
    shorts = {full: short for short, full in names.items()}
    wrong = []
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, full) for full in shorts]):
        for resource in answer.resources:
            full, entries = resource[3], {entry[0]: entry[1] for entry in resource[4]}
            wrong += [f"{full}: {k}={entries[k]}" for k, v in TOPICS[shorts[full]].items() if entries[k] != v]
    return wrong


async def _in_time(work: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(_SECONDS):
            return await work
    except (TimeoutError, KafkaError) as error:
        raise BrokerAway(str(error) or "no answer in time") from error


async def _failed(error: BaseException) -> None:
    raise error


async def _within(seconds: float, work: Awaitable[Any]) -> None:
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(seconds):
            await work


def _incoming(record: Any) -> Incoming:
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    key = (record.key or b"").decode(errors="replace")
    return Incoming(record.topic, record.partition, record.offset, key, record.value, headers)
