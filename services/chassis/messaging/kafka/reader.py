"""Reading as a member of a group."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaTimeoutError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)

from services.chassis.messaging.kafka.records import BrokerAway, Incoming, in_time, incoming, within

MOST_READ = 2_400
"""How many records are read at once, from all partitions together."""
_FETCH_WAIT_MS = 500
"""How long the broker may hold a fetch that finds nothing. It answers as soon as a record arrives; but a partition that
is moved or resumed is asked for only after the fetch in hand."""
_FETCHER_WAKES_MS = 500
"""How often aiokafka's fetcher wakes where nothing happens."""
_PREFETCH_SECONDS = 5.0
"""How long aiokafka's fetcher waits with the next fetch until what it has is taken. By default 0.1 s: then a batch that
takes longer finds a fetch in hand without the partitions that had records, and those wait until it ends. Where more is
there than one poll takes, nothing is fetched meanwhile."""


class Reader:
    """A member of a consumer group with a static id: a restart takes its partitions back at once."""

    def __init__(self, brokers: str, topics: Sequence[str], group: str, member: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=brokers,
            group_id=group,
            group_instance_id=member,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=30_000,
            heartbeat_interval_ms=3_000,
            rebalance_timeout_ms=60_000,
            max_poll_records=MOST_READ,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            consumer_timeout_ms=_FETCHER_WAKES_MS,
            metadata_max_age_ms=30_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self.topics = topics
        self._assignments = _Assignments()

    async def start(self) -> None:
        """Join the group; BrokerAway without a broker, or if a topic does not exist yet."""
        self._consumer.subscribe(self.topics, listener=self._assignments)
        try:
            await self._consumer.start()
            self._consumer._fetcher._prefetch_backoff = _PREFETCH_SECONDS
        except (KafkaConnectionError, KafkaTimeoutError, UnknownTopicOrPartitionError) as error:
            await self.stop()
            raise BrokerAway(str(error)) from error
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def poll(self, wait_ms: int) -> list[list[Incoming]]:
        """The records that have arrived, in order, one list for each partition; none after ``wait_ms``."""
        batches = await self._consumer.getmany(timeout_ms=wait_ms)
        return [[incoming(record) for record in records] for records in batches.values() if records]

    async def commit(self, read: Sequence[Incoming]) -> bool:
        """Commit these and all before them; False if a partition was reassigned meanwhile. Raises BrokerAway."""
        return await self._confirm({TopicPartition(r.topic, r.partition): r.offset + 1 for r in read})

    async def confirmed(self) -> dict[tuple[str, int], int]:
        """How far the group has confirmed, on the partitions of all members; BrokerAway where the broker is away."""
        places = [
            TopicPartition(topic, number)
            for topic in self.topics
            for number in self._consumer.partitions_for_topic(topic) or ()
        ]
        found = await asyncio.gather(*(in_time(self._consumer.committed(place)) for place in places))
        return {(p.topic, p.partition): offset for p, offset in zip(places, found, strict=True) if offset is not None}

    async def _confirm(self, offsets: Mapping[TopicPartition, int]) -> bool:
        try:
            await self._consumer.commit(dict(offsets))
        except (CommitFailedError, IllegalStateError):
            return False
        except (KafkaConnectionError, RequestTimedOutError) as error:
            raise BrokerAway(str(error)) from error
        return True

    async def pause(self, wait_ms: int) -> None:
        """Stay a member for this long without reading."""
        self._consumer.pause(*self._consumer.assignment())
        for place, records in (await self._consumer.getmany(timeout_ms=wait_ms)).items():
            self._consumer.seek(place, records[0].offset)  # assigned to us meanwhile: a new partition is not paused yet

    def resume(self) -> None:
        """Continue from where the pause began."""
        self._consumer.resume(*self._consumer.paused())

    def rewind(self, record: Incoming) -> None:
        """Read this record and all after it again, if its partition is still ours."""
        with suppress(IllegalStateError):
            self._consumer.seek(TopicPartition(record.topic, record.partition), record.offset)

    async def move(self, places: Mapping[tuple[str, int], int]) -> bool:
        """Continue from these offsets, and commit them; False if a partition was reassigned meanwhile."""
        offsets = {TopicPartition(*place): offset for place, offset in places.items()}
        try:
            for place, offset in offsets.items():
                self._consumer.seek(place, offset)
        except IllegalStateError:
            return False
        return await self._confirm(offsets)

    def assigned(self) -> frozenset[tuple[str, int]]:
        """Our partitions; none during a rebalance."""
        return self._assignments.ours

    def generation(self) -> int:
        """How often partitions were assigned; between two generations another member may have had ours."""
        return self._assignments.count

    def lags(self) -> dict[tuple[str, int], int]:
        """How many records are unread in each of our partitions, as of the last fetch."""
        found = {}
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            state = self._consumer._subscription.subscription.assignment.state_value(partition)
            if end is not None and state is not None and state.has_valid_position:
                found[partition.topic, partition.partition] = max(0, end - state.position)
        return found

    async def stop(self) -> None:
        """Close within five seconds, without leaving: a static member keeps its partitions for its next start."""
        await within(5, self._consumer.stop())


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Our partitions, and how often they were assigned."""

    def __init__(self) -> None:
        self.count = 0
        self.ours: frozenset[tuple[str, int]] = frozenset()

    async def on_partitions_revoked(self, revoked: object) -> None:
        """No partition is ours for now. Causes and versions make the effects of the current batch harmless."""
        self.ours = frozenset()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The next generation; each partition continues from its committed offset."""
        self.count += 1
        self.ours = frozenset((place.topic, place.partition) for place in assigned)
