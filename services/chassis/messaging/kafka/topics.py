"""Topics: their configuration and creation, and reading them without a group."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from services.chassis.messaging.kafka.records import (
    MS,
    PARTITIONS,
    SECONDS,
    BrokerAway,
    Incoming,
    in_time,
    incoming,
    within,
)

EVENTS = {"cleanup.policy": "delete", "retention.ms": "-1"}
KEYS = {"cleanup.policy": "compact", "retention.ms": "-1"}
KEYS_TOPIC = "keys"
"""The short name of the chassis' own topic. Every other is that of a service, which names it in ``Service.name``."""


class TopicMissing(Exception):
    """A topic does not exist."""


class TopicReader:
    """Reads topics from any offset, without a group, for checks and repairs. Raises BrokerAway."""

    def __init__(self, brokers: str) -> None:
        # A short wait for records: other requests on the same connection wait behind a fetch.
        self._consumer = AIOKafkaConsumer(bootstrap_servers=brokers, auto_offset_reset="earliest", fetch_max_wait_ms=20)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=MS)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Connected as long as the block lasts."""
        try:
            await in_time(self._consumer.start())
            await in_time(self._admin.start())
            yield self
        finally:
            await within(2, self._admin.close())
            await within(2, self._consumer.stop())

    async def ends(self, topic: str) -> dict[tuple[str, int], int]:
        """The end offset of each partition; TopicMissing if the topic does not exist."""
        if await in_time(_is_missing(self._admin, topic)):
            raise TopicMissing(f"there is no topic {topic}: run `linli migrate`")
        found = await in_time(self._consumer.end_offsets([TopicPartition(topic, n) for n in range(PARTITIONS)]))
        return {(p.topic, p.partition): end for p, end in found.items()}

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """The committed offsets of a group; partitions without one are left out."""
        found = await in_time(self._offsets(group))
        return {(p.topic, p.partition): known.offset for p, known in found.items() if known.offset >= 0}

    async def _offsets(self, group: str) -> Any:
        while True:
            with suppress(GroupCoordinatorNotAvailableError):  # a new broker creates the topic of groups first
                return await self._admin.list_consumer_group_offsets(group)
            await asyncio.sleep(0.05)

    async def at(self, when: datetime, ends: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """For each of these partitions, the offset of the first record since then, or its end."""
        instant = int(when.timestamp() * 1000)
        found = await in_time(self._consumer.offsets_for_times({TopicPartition(*p): instant for p in ends}))
        since = {(p.topic, p.partition): known.offset for p, known in found.items() if known}
        return {**ends, **since}

    async def read(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[list[Incoming]]:
        """The records of one partition from ``start`` up to, but without, ``end``, in batches."""
        self._consumer.assign([place := TopicPartition(topic, partition)])
        self._consumer.seek(place, start)
        position = start
        while position < end:
            batches = await self._consumer.getmany(place, timeout_ms=MS)
            if (reached := await in_time(self._consumer.position(place))) == position:
                raise BrokerAway(f"{topic}-{partition} cannot be read beyond {position}")
            position = reached
            yield [incoming(r) for r in batches.get(place, ()) if r.offset < end]


def declared(short: str) -> Mapping[str, str]:
    """How a topic is configured, by its short name: events are kept for ever, keys by their last value."""
    return KEYS if short == KEYS_TOPIC else EVENTS


def partition_of(key: str) -> int:
    """The partition in which the producer puts records of this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


async def create_topics(brokers: str, names: Mapping[str, str], replicas: int) -> list[str]:
    """Create missing topics (``names``: full name by short name); returns those with a wrong configuration.

    BrokerAway without a broker, or if it does not create one.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=MS)
    try:
        async with asyncio.timeout(SECONDS * 3):
            await admin.start()
            fresh = [
                NewTopic(full, PARTITIONS, replicas, topic_configs=declared(short))
                for short, full in names.items()
                if await _is_missing(admin, full)
            ]
            for name, error, *details in (await admin.create_topics(fresh)).topic_errors:
                if error not in (0, TopicAlreadyExistsError.errno):
                    raise BrokerAway(f"the broker does not make the topic {name}: {details[0] if details else error}")
            return await _differing(admin, names)
    except (TimeoutError, KafkaConnectionError) as error:
        raise BrokerAway(str(error)) from error
    finally:
        await within(2, admin.close())


async def confirmed_by(brokers: str, group: str) -> dict[tuple[str, int], int]:
    """How far a consumer group has confirmed; empty where it never has. BrokerAway without a broker."""
    async with TopicReader(brokers).open() as past:
        return await past.committed(group)


async def _differing(admin: AIOKafkaAdminClient, names: Mapping[str, str]) -> list[str]:
    wrong = []
    for short, full in names.items():
        entries = await configuration(admin, full)
        wrong += [f"{full}: {k}={entries[k]}" for k, v in declared(short).items() if entries[k] != v]
    return wrong


async def configuration(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    """All settings of a topic, including the broker's defaults; waits for a topic that was just created."""
    while True:
        error, entries = await _described(admin, topic)
        if not error:
            return {entry[0]: entry[1] for entry in entries}
        await asyncio.sleep(0.05)  # not every broker knows a new topic at once


async def _is_missing(admin: AIOKafkaAdminClient, topic: str) -> bool:
    error, _ = await _described(admin, topic)
    return bool(error == UnknownTopicOrPartitionError.errno)


async def _described(admin: AIOKafkaAdminClient, topic: str) -> tuple[int, Sequence[Any]]:
    """The error code and settings of one topic. A list of all topics would grow with whatever else the broker holds."""
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    error, _, _, _, entries = answer.resources[0][:5]
    return error, entries
