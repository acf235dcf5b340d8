"""The record of an event: a CloudEvent in Kafka's binary mode, the same for every sender."""

from dataclasses import dataclass

import orjson

from services.chassis.domain.events import Recorded
from services.chassis.messaging.kafka import Outgoing


@dataclass(frozen=True, slots=True)
class Address:
    """The topic of a service's events, and their source."""

    topic: str
    source: str

    def record(self, event: Recorded) -> Outgoing:
        """A record with the published part of an event: no cause, no fingerprint, no private data."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": event.id,
            "ce_type": event.type,
            "ce_source": self.source,
            "ce_time": event.at.isoformat(),
            "ce_subject": event.entity_id,
            "ce_schema": str(event.schema),
            "ce_actor": event.by,
            "content-type": "application/json",
        }
        if event.trace:
            headers["traceparent"] = event.trace
        return Outgoing(self.topic, event.entity_id, orjson.dumps(event.data), headers)
