"""Kafka: the only folder that knows aiokafka."""

from services.chassis.messaging.kafka.cluster import Cluster
from services.chassis.messaging.kafka.publisher import Publisher
from services.chassis.messaging.kafka.reader import MOST_READ, Reader
from services.chassis.messaging.kafka.records import PARTITIONS, BrokerAway, Incoming, Outgoing, Unsendable
from services.chassis.messaging.kafka.topics import (
    KEYS_TOPIC,
    TopicMissing,
    TopicReader,
    confirmed_by,
    create_topics,
    declared,
    partition_of,
)

__all__ = [
    "KEYS_TOPIC",
    "MOST_READ",
    "PARTITIONS",
    "BrokerAway",
    "Cluster",
    "Incoming",
    "Outgoing",
    "Publisher",
    "Reader",
    "TopicMissing",
    "TopicReader",
    "Unsendable",
    "confirmed_by",
    "create_topics",
    "declared",
    "partition_of",
]
