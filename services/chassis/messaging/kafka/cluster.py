"""The topics and groups of the cluster, for checks."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.messaging.kafka.records import in_time
from services.chassis.messaging.kafka.topics import TopicMissing, TopicReader, configuration


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; its replicas are those of the partition with the fewest."""

    partitions: int
    replicas: int
    in_sync: int
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group; a group that nobody has joined has no members."""

    state: str
    members: int


class Cluster(TopicReader):
    """Queries to the brokers other than records. Raises BrokerAway."""

    async def topic(self, name: str) -> Topic:
        """The state of a topic; TopicMissing for an unknown name."""
        (found,) = await in_time(self._admin.describe_topics([name]))
        if found["error_code"]:
            raise TopicMissing(f"there is no topic {name}")
        parts = found["partitions"]
        replicas, in_sync = (min((len(part[what]) for part in parts), default=0) for what in ("replicas", "isr"))
        return Topic(len(parts), replicas, in_sync, await in_time(configuration(self._admin, name)))

    async def group(self, name: str) -> Group:
        """The state of a group."""
        # One at a time: the library reads only the first group of an answer.
        (answer,) = await in_time(self._admin.describe_consumer_groups([name]))
        found = answer.to_object()["groups"][0]
        return Group(found["state"], len(found["members"]))
