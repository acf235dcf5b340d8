"""What is published, as snapshots: `python -m tests.contracts.snapshot` renews them unless that would break others.

Fields of an event are only ever added, and only optional ones; a changed meaning is a new event. Where a field has to
be split or recast, the event gets the next schema: whoever listens and does not know it sets it aside until it does,
and `test_corpus.py` holds what was published in the shapes before. Names of events and of reactions are for ever: an
event of another name is unknown to all who listen, a reaction of another name runs again on everything. Whatever else
is stored or on the wire by its name stands in `snapshots/names.json`, whose changes are listed in CHANGELOG.md.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from services.chassis.domain.entity import Copy
from services.chassis.domain.events import Event
from tests.contracts import corpus, names
from tests.contracts.corpus import SERVICES, events_of

FOLDER = Path(__file__).parent / "snapshots"
Snapshot = dict[str, Any]


def reactions_of(service: str) -> list[str]:
    """The names of everything that reacts in one service."""
    app = importlib.import_module(f"services.{service}.app")
    return sorted(reaction.name for reaction in app.service.all_reactions)


def copies_of(service: str) -> tuple[type[Copy[Any]], ...]:
    """What one service keeps of others' entities."""
    found: tuple[type[Copy[Any]], ...] = importlib.import_module(f"services.{service}.app").service.copies
    return found


def current(service: str) -> Snapshot:
    """What one service publishes now, and what in it reacts."""
    events = {name: _described(kind) for name, kind in sorted(events_of(service).items())}
    return {"events": events, "reactions": reactions_of(service)}


def stored(service: str) -> Snapshot:
    """What it published when the snapshot was made; nothing where there is none."""
    file = FOLDER / f"{service}.json"
    empty: Snapshot = {"events": {}, "reactions": []}
    return json.loads(file.read_text()) if file.exists() else empty


def broken(old: Snapshot, new: Snapshot) -> list[str]:
    """What of the old would not hold any longer."""
    found = [f"the reaction {name} is gone" for name in old["reactions"] if name not in new["reactions"]]
    for name, before in old["events"].items():
        after = new["events"].get(name)
        found += [f"{name}: {what}" for what in (_breaks(before, after) if after else ["the event is gone"])]
    return found


def _described(kind: type[Event]) -> Snapshot:
    schema = kind.model_json_schema()
    properties = {
        name: _plain(field, schema.get("$defs", {}))
        for name, field in schema.get("properties", {}).items()
        if name not in kind.private_fields
    }
    return {
        "type": kind.type_name(),
        "schema": kind.schema_version,
        "private": kind.private,
        "required": sorted(name for name in schema.get("required", ()) if name in properties),
        "fields": properties,
    }


def _plain(part: Any, defined: dict[str, Any]) -> Any:
    """A schema without names, titles and defaults, which are nothing on the wire."""
    if isinstance(part, list):
        return [_plain(one, defined) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _plain(defined[part["$ref"].rpartition("/")[2]], defined)
    return {k: _plain(v, defined) for k, v in part.items() if k not in ("title", "description", "default")}


def _breaks(old: Snapshot, new: Snapshot) -> list[str]:
    found = [f"its {what} changed" for what in ("type", "private") if old[what] != new[what]]
    if new["schema"] < old["schema"]:
        found.append("its shape has a lower number")
    if new["schema"] > old["schema"]:
        return found
    for name, field in old["fields"].items():
        if name not in new["fields"]:
            found.append(f"the field {name} is gone")
        elif not _takes(new["fields"][name], field):
            found.append(f"the field {name} changed")
    found += [f"the new field {n} is required" for n in new["required"] if n not in old["fields"]]
    found += [
        f"the optional field {n} is required"
        for n in new["required"]
        if n in old["fields"] and n not in old["required"]
    ]
    found += [f"the required field {n} may be missing" for n in old["required"] if n not in new["required"]]
    return found


def _takes(new: Any, old: Any) -> bool:
    """Whether the new shape is the old one, but for values that an enumeration gained."""
    if isinstance(old, dict) and isinstance(new, dict):
        values = set(old.get("enum", ())) <= set(new.get("enum", ()))
        return old.keys() == new.keys() and values and all(k == "enum" or _takes(new[k], old[k]) for k in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_takes(n, o) for n, o in zip(new, old, strict=True))
    return bool(old == new)


def renew() -> list[str]:
    """Write the snapshots and what is new for the corpus, unless something would break; what would."""
    problems = [problem for service in SERVICES for problem in broken(stored(service), current(service))]
    if not problems:
        FOLDER.mkdir(exist_ok=True)
        for service in SERVICES:
            text = json.dumps(current(service), indent=1, ensure_ascii=False, sort_keys=True)
            (FOLDER / f"{service}.json").write_text(f"{text}\n")
        corpus.add_what_is_new()
        names.renew()
    return problems


if __name__ == "__main__":
    sys.exit("\n".join(renew()) or None)
