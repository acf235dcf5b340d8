"""The AsyncAPI 3 document: topics, messages, who sends them."""

import json
from typing import Any

from docs.generate.catalogue import SERVICES, contract_events
from docs.generate.tables import first_line
from services.chassis.domain.events import Event
from services.chassis.messaging.kafka import KEYS_TOPIC, PARTITIONS, declared
from services.chassis.runtime.service import VERSION

_HEADERS = (
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_time",
    "ce_subject",
    "ce_schema",
    "ce_actor",
    "traceparent",
)


def document() -> str:
    """The document as JSON."""
    channels = {name: _channel(name) for name in (*SERVICES, KEYS_TOPIC)}
    operations = {f"send-{name}": _operation("send", name) for name in SERVICES}
    for name, service in SERVICES.items():
        operations |= {f"{name}-hears-{topic}": _operation("receive", topic) for topic in service.listens_to}
    whole = {
        "asyncapi": "3.0.0",
        "info": {"title": "Linli events", "version": VERSION},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _channel(name: str) -> dict[str, Any]:
    events = contract_events(name) if name in SERVICES else []
    return {
        "address": f"linli.{name}.v1",
        "messages": {kind.__name__: _message(kind) for kind in events} or {"DataKey": _key()},
        "bindings": {
            "kafka": {
                "partitions": PARTITIONS,
                "topicConfiguration": {"cleanup.policy": [declared(name)["cleanup.policy"]], "retention.ms": -1},
            }
        },
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    headers = {"type": "object", "properties": {header: {"type": "string"} for header in _HEADERS}}
    return {
        "name": kind.type_name(),
        "summary": first_line(kind.__doc__),
        "headers": headers,
        "payload": kind.model_json_schema(),
        "bindings": {"kafka": {"key": {"type": "string", "description": "the id of the entity"}}},
    }


def _key() -> dict[str, Any]:
    return {
        "summary": "The wrapped data key of a person or a case; without a value it was erased or forgotten.",
        "contentType": "application/octet-stream",
        "payload": {"type": ["string", "null"], "contentEncoding": "binary"},
    }


def _operation(action: str, name: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
