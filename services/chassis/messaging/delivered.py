"""An event of another service, as it arrives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.chassis.domain.events import Event
from services.chassis.messaging.kafka import Incoming

_VERSIONS = 2**63  # what the database can store
EventTypes = dict[str, type[Event]]


class Unreadable(Exception):
    """A record that is not one of our events."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as it arrived, with its record."""

    id: str
    type: str
    schema: int
    entity: str
    version: int
    at: datetime
    by: str
    trace: str | None
    data: dict[str, Any]
    record: Incoming

    @classmethod
    def of(cls, record: Incoming) -> "Delivered":
        """From a record in CloudEvents' binary mode; Unreadable if it is not one of our events."""
        try:
            headers = record.headers
            entity, _, version = headers["ce_id"].rpartition(":")
            at, schema = datetime.fromisoformat(headers["ce_time"]), int(headers["ce_schema"])
            kind, by, trace = headers["ce_type"], headers["ce_actor"], headers.get("traceparent")
            data = orjson.loads(record.value or b"")
            if entity != record.key or not isinstance(data, dict):
                raise Unreadable("key and id name different entities, or the value is no object")
            if not 0 < int(version) < _VERSIONS:
                raise Unreadable("the version is out of range")
            return cls(headers["ce_id"], kind, schema, entity, int(version), at, by, trace, data, record)
        except KeyError as error:
            raise Unreadable(f"there is no header {error}") from error
        except ValueError as error:  # its text would repeat what a stranger sent
            raise Unreadable(f"a header or the value cannot be read: {type(error).__name__}") from error

    def event(self, types: EventTypes) -> Event:
        """The event as its class, in today's shape; SchemaTooNew, or ValidationError where its fields are wrong."""
        return types[self.type].parse_upcast(self.schema, self.data)
