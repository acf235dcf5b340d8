"""Every shape in which an event was ever recorded: `python -m tests.contracts.snapshot` adds those that are new.

One file for each type of event and each of its schemas, with examples of what a history holds. A file is written when
its shape is new and never again: what was published stays in topics, histories and archives for ever.
"""

import importlib
import json
from pathlib import Path
from typing import Any

from docs.generate.catalogue import contract_events
from services.chassis.domain.events import Event

SERVICES = ("members", "requests", "notify")
FOLDER = Path(__file__).parent / "corpus"
Shape = dict[str, Any]
_WORDS = {"date-time": "2026-11-23T08:00:00Z", "date": "2026-11-23", "time": "08:00:00"}
_VALUES = {"integer": 3, "number": 1.5, "boolean": True, "null": None}


def events_of(service: str) -> dict[str, type[Event]]:
    """The events of one service's contract, by the names of their classes."""
    return {kind.__name__: kind for kind in contract_events(service)}


def all_events() -> dict[str, type[Event]]:
    """Every event that a history can hold, by its name on the wire: published and private ones."""
    found = {kind.type_name(): kind for service in SERVICES for kind in events_of(service).values()}
    for service in SERVICES:
        for entity in importlib.import_module(f"services.{service}.app").service.entities:
            found |= entity.events
    return found


def file_of(type: str, schema: int) -> Path:
    """Where one shape is kept."""
    return FOLDER / f"{type.removeprefix('linli.')}.{schema}.json"


def shapes() -> list[Shape]:
    """All shapes of the corpus."""
    return [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]


def example(kind: type[Event]) -> dict[str, Any]:
    """What a history holds of one such event, with every field filled; private fields apart."""
    described = kind.model_json_schema()
    values = {name: _value(part, described.get("$defs", {})) for name, part in described["properties"].items()}
    data, private = kind.model_validate(values).split()
    return {"data": data, "private": private}


def _value(part: dict[str, Any], defined: dict[str, Any]) -> Any:
    if "$ref" in part:
        return _value(defined[part["$ref"].rpartition("/")[2]], defined)
    if "anyOf" in part:
        return _value(part["anyOf"][0], defined)
    match part.get("type"):
        case "object":
            return {name: _value(inner, defined) for name, inner in part.get("properties", {}).items()}
        case "array":
            return [_value(part["items"], defined)]
        case "string":
            return part.get("enum", [_WORDS.get(part.get("format", ""), "text")])[0]
        case known:
            return _VALUES[known or "null"]


def add_what_is_new() -> None:
    """Write a file for every shape that has none."""
    FOLDER.mkdir(exist_ok=True)
    for type, kind in sorted(all_events().items()):
        file = file_of(type, kind.schema_version)
        if not file.exists():
            shape = {"type": type, "schema": kind.schema_version, "examples": [example(kind)]}
            file.write_text(json.dumps(shape, indent=1, ensure_ascii=False) + "\n", "utf-8")
