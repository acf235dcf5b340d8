"""The cluster as it is: its topics and groups, for who examines it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.messaging.kafka.records import in_time
from services.chassis.messaging.kafka.topics import Past, TopicMissing, configuration


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; of its copies those of the partition that has the fewest."""

    partitions: int
    replicas: int
    in_sync: int
    configuration: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group; one that nobody has ever joined has no members."""

    state: str
    members: int


class Cluster(Past):
    """What can be asked of the brokers besides records. BrokerAway without one."""

    async def topic(self, name: str) -> Topic:
        """How a topic is; TopicMissing where there is none of this name."""
        (found,) = await in_time(self._admin.describe_topics([name]))
        if found["error_code"]:
            raise TopicMissing(f"there is no topic {name}")
        parts = found["partitions"]
        replicas, in_sync = (min((len(part[what]) for part in parts), default=0) for what in ("replicas", "isr"))
        return Topic(len(parts), replicas, in_sync, await in_time(configuration(self._admin, name)))

    async def group(self, name: str) -> Group:
        """How a group is."""
        # One at a time: of several in one answer the library reads only the first.
        (answer,) = await in_time(self._admin.describe_consumer_groups([name]))
        found = answer.to_object()["groups"][0]
        return Group(found["state"], len(found["members"]))
