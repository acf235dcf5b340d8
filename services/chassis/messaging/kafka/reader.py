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

_MOST = 2_400
"""So many records are taken at once, from however many partitions have any."""


class Reader:
    """A member of a consumer group with a static id, so that a restart takes its partitions back at once."""

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
            max_poll_records=_MOST,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=30_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self._topics = topics
        self._turns = _Turns()

    async def start(self) -> None:
        """Join the group; BrokerAway where there is no broker, or no such topic yet."""
        self._consumer.subscribe(self._topics, listener=self._turns)
        try:
            await self._consumer.start()
        except (KafkaConnectionError, KafkaTimeoutError, UnknownTopicOrPartitionError) as error:
            await self.stop()
            raise BrokerAway(str(error)) from error
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def poll(self, wait_ms: int) -> list[list[Incoming]]:
        """What has come, in order, a list for each partition that has any; none after ``wait_ms`` without anything."""
        batches = await self._consumer.getmany(timeout_ms=wait_ms)
        return [[incoming(record) for record in records] for records in batches.values() if records]

    async def commit(self, read: Sequence[Incoming]) -> bool:
        """Confirm these and all before them; False where a partition went elsewhere meanwhile.

        BrokerAway where the broker is away.
        """
        return await self._confirm({TopicPartition(r.topic, r.partition): r.offset + 1 for r in read})

    async def confirmed(self) -> dict[tuple[str, int], int]:
        """How far the group has confirmed, on the partitions of all members; BrokerAway where the broker is away."""
        places = [
            TopicPartition(topic, number)
            for topic in self._topics
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

    async def rest(self, wait_ms: int) -> None:
        """Stay a member for so long, and take nothing."""
        self._consumer.pause(*self._consumer.assignment())
        for place, records in (await self._consumer.getmany(timeout_ms=wait_ms)).items():
            self._consumer.seek(place, records[0].offset)  # given to us meanwhile: a new one does not rest yet

    def wake(self) -> None:
        """Take on from where the rest began."""
        self._consumer.resume(*self._consumer.paused())

    def rewind(self, record: Incoming) -> None:
        """Take this record and all behind it once more, if its partition is still ours."""
        with suppress(IllegalStateError):
            self._consumer.seek(TopicPartition(record.topic, record.partition), record.offset)

    async def move(self, places: Mapping[tuple[str, int], int]) -> bool:
        """Read on from these offsets, and confirm them; False where a partition went elsewhere meanwhile."""
        offsets = {TopicPartition(*place): offset for place, offset in places.items()}
        try:
            for place, offset in offsets.items():
                self._consumer.seek(place, offset)
        except IllegalStateError:
            return False
        return await self._confirm(offsets)

    def assigned(self) -> frozenset[tuple[str, int]]:
        """The partitions that are ours; none from the moment the group gives them out anew until it has done so."""
        return self._turns.ours

    def generation(self) -> int:
        """How often partitions have been given out; between two turns another member may have had ours."""
        return self._turns.count

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
        await within(5, self._consumer.stop())


class _Turns(ConsumerRebalanceListener):  # type: ignore[misc]
    """What is ours, and how often that was given out anew."""

    def __init__(self) -> None:
        self.count = 0
        self.ours: frozenset[tuple[str, int]] = frozenset()

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Nothing is ours for now; the effects of a batch in hand are made harmless by causes and versions."""
        self.ours = frozenset()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Another turn; each of them is read on from what was confirmed."""
        self.count += 1
        self.ours = frozenset((place.topic, place.partition) for place in assigned)
