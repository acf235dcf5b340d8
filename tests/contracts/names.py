"""Everything that is stored or on the wire by its name: a renaming shows what of it changes outside the code."""

import ast
import asyncio
import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY
from pydantic import BaseModel
from pydantic_settings import BaseSettings

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import REFUSALS
from services.chassis.http.auth import Tokens
from services.chassis.messaging.reactions import Reaction
from services.chassis.storage import archive, migrations
from services.chassis.storage.audit import Audit
from tests.contracts import documents, forms, literals, pieces
from tests.contracts.corpus import all_events

FILE = Path(__file__).parent / "snapshots" / "names.json"
Names = dict[str, list[str]]
_SEALS = ("seal", "open", "seal_own", "open_own", "seal_under", "open_under")
Worker = Any


def current() -> Names:
    """The names of today, by what they name; sorted, each once."""
    pieces.parsed()  # all is imported: what registers itself on import is there
    found: dict[str, Callable[[], Iterable[str]]] = {
        "events": _events,
        "entities and copies": _stored,
        "reactions": _reactions,
        "timers": _timers,
        "workers": _workers,
        "indexes": _indexes,
        "collections named in code": literals.collections,
        "keys in quotes": literals.fields,
        "texts of parts": literals.forms,
        "sealed fields": lambda: {name for call in _SEALS for name in literals.labels(call, 2, "kind")},
        "blind indexes": lambda: literals.labels("blind", 0, "kind"),
        "claims": lambda: literals.labels("claim", 0, "kind") | _unique(),
        "leases": lambda: literals.labels("Lease", 1, "name"),
        "steps of a request": lambda: literals.labels("substep", 0, "name"),
        "documents of the chassis": lambda: _quietly(documents.written),
        "causes": lambda: _quietly(forms.causes),
        "values of known parts": lambda: _quietly(forms.values),
        "record": forms.record,
        "metrics": _metrics,
        "settings": _settings,
        "refusals": _refusals,
        "routes": _routes,
        "fields of requests and answers": _bodies,
    }
    return {what: sorted(set(names())) for what, names in found.items()}


def stored() -> Names:
    """The names when the snapshot was made; none where there is none."""
    return cast(Names, json.loads(FILE.read_text("utf-8"))) if FILE.exists() else {}


def changes(old: Names, new: Names) -> list[str]:
    """What is gone (-) and what has come (+), with what it names."""
    found = []
    for what in sorted({*old, *new}):
        before, after = set(old.get(what, ())), set(new.get(what, ()))
        found += [f"- {what}: {name}" for name in sorted(before - after)]
        found += [f"+ {what}: {name}" for name in sorted(after - before)]
    return found


def renew() -> None:
    """Write the names of today."""
    FILE.write_text(json.dumps(current(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


def _quietly(work: Callable[[], Any]) -> list[str]:
    with structlog.testing.capture_logs():
        return cast(list[str], asyncio.run(work()))


def _events() -> Iterator[str]:
    for name, kind in all_events().items():
        private = " (private)" if kind.private else ""
        yield f"{name} {kind.schema_version}{private}"
        for field in _fields(kind):
            yield f"{name}.{field}{' (private)' if field.partition('.')[0] in kind.private_fields else ''}"


def _stored() -> Iterator[str]:
    for name, service in pieces.services().items():
        for kind in service.kinds:
            place = f"{name}: {kind.collection()}"
            yield f"{place} holds {kind.entity_type}_…"
            if issubclass(kind, Entity):
                yield f"{name}: {archive.collection_of(kind.collection())}"
            yield from (f"{place}.state.{field}" for field in _fields(kind) if field not in ("id", "version"))


def _fields(kind: type[BaseModel]) -> Iterator[str]:
    """The fields of a model with those inside, their values where these are named, and which are sealed."""
    schema = kind.model_json_schema()
    for name, info in kind.model_fields.items():
        yield from _flat(schema["properties"][name], name, schema.get("$defs", {}))
        if "Sealed" in f"{info.annotation}":
            yield f"{name} (sealed)"


def _flat(part: dict[str, Any], path: str, defined: dict[str, Any]) -> Iterator[str]:
    yield path
    if "$ref" in part:
        yield from _flat(defined[part["$ref"].rpartition("/")[2]], path, defined)
    yield from (f"{path} = {value}" for value in part.get("enum", ()))
    for inner in (*part.get("anyOf", ()), *part.get("prefixItems", ()), part.get("items"), _others(part)):
        if isinstance(inner, dict):
            yield from _flat(inner, path, defined)
    for name, inner in part.get("properties", {}).items():
        yield from _flat(inner, f"{path}.{name}", defined)
    if isinstance(names := part.get("propertyNames"), dict):
        yield from _flat(names, f"{path}.(key)", defined)


def _others(part: dict[str, Any]) -> Any:
    return part.get("additionalProperties")


def _reactions() -> Iterator[str]:
    for name, service in pieces.services().items():
        for reaction in service.all_reactions:
            yield f"{name}: {reaction.name}{'' if reaction.remembers else ' (remembers nothing)'}"
            yield from (f"{name}: {reaction.name} to {type}" for type in reaction.types)
            if isinstance(reaction, Reaction) and reaction.when is not None:
                yield f"{name}: {reaction.name} when {reaction.when.__name__}, as {_digest(reaction.when)}"


def _digest(function: Callable[..., Any]) -> str:
    """Of its source, without comments and spaces."""
    return hashlib.sha256(ast.dump(ast.parse(inspect.getsource(function))).encode()).hexdigest()[:12]


def _timers() -> Iterator[str]:
    for name, service in pieces.services().items():
        yield from (f"{name}: {t.name} at {t.kind.collection()}.state.{t.field}" for t in service.timers)


def _workers() -> list[str]:
    """Loops, leases, topics and groups of each service's worker, which is made but does not run."""
    return [line for service in pieces.services().values() for line in asyncio.run(_worker(service))]


async def _worker(service: Any) -> list[str]:
    with TemporaryDirectory() as folder:
        key = Path(folder) / "master.key"
        key.write_text("00" * 32)
        settings = pieces.settings().model_copy(update={"master_key_file": key})
        worker = pieces.named("Worker")(replace(service, dependencies=lambda _: {}), settings)
    found = [f"topic {settings.topic(service.name)}", f"source {settings.source(service.name)}"]
    found += [f"group {settings.group(service.name)}", f"member {worker._member}"]
    found += [f"topic {settings.topic(name)}" for name in (*service.listens_to, "keys")]
    found += await _loops(worker)
    return [f"{service.name}: {line}" for line in found]


class _Joined(Exception):
    """A reader would join a group now."""


async def _loops(worker: Worker) -> list[str]:
    found: list[str] = []

    async def joined(topics: list[str], group: str) -> None:
        found.append(f"group {group} reads {', '.join(topics)}")
        raise _Joined

    worker._reader = joined
    worker._lease = lambda name: found.append(f"lease {name}")
    for name, loop in worker._loops().items():
        found.append(f"loop {name}")
        try:
            await loop if name == "keys" else loop.close()
        except _Joined:
            continue
    return [*found, *(f"address {route.path}" for route in worker._health().routes)]


def _unique() -> set[str]:
    """The claims that stand for unique indexes in sharded collections."""
    return {
        f"{kind.entity_type}.{field}"
        for parts in pieces.services().values()
        for kind in parts.kinds
        for index in kind.indexes
        if index.unique
        for field in index.fields
    }


def _indexes() -> Iterator[str]:
    for service, parts in pieces.services().items():
        for name, index in migrations.declared(parts.kinds):
            keys = ", ".join(f"{key} {order}" for key, order in index.keys)
            yield f"{service}: {name}({keys}){' sparse' if index.sparse else ''}{' unique' if index.unique else ''}"


def _metrics() -> Iterator[str]:
    for metric in cast(Any, REGISTRY)._collector_to_names:
        if getattr(metric, "_name", "").startswith("linli_"):
            yield f"{metric._type} {metric._name}({', '.join(metric._labelnames)})"


def _settings() -> Iterator[str]:
    for kind in pieces.classes():
        if issubclass(kind, BaseSettings):
            yield from (f"{kind.model_config['env_prefix']}{name.upper()}" for name in kind.model_fields)


def _refusals() -> Iterator[str]:
    ours = {code: kind for code, kind in REFUSALS.items() if kind.__module__.startswith("services.")}
    return (f"{code} ({kind.kind.value})" for code, kind in ours.items())


@cache
def _application(service: str) -> FastAPI:
    app = FastAPI()
    for routes in pieces.services()[service].routes:
        routes.install(app, pieces.nothing(), cast(Tokens, None), cast(Audit, None))
    return app


def _routes() -> Iterator[str]:
    for service in pieces.services():
        for route in _application(service).routes:
            if isinstance(route, APIRoute):
                yield f"{', '.join(sorted(route.methods or ()))} {route.path} {route.operation_id}"


def _bodies() -> Iterator[str]:
    for name in pieces.services():
        described = _application(name).openapi()
        for model, schema in described.get("components", {}).get("schemas", {}).items():
            yield from (f"{name}: {model}.{field}" for field in schema.get("properties", ()))
            yield from (f"{name}: {model} = {value}" for value in schema.get("enum", ()))
        for path, methods in described["paths"].items():
            for method, route in methods.items():
                yield from (f"{method.upper()} {path} ?{p['name']} in {p['in']}" for p in route.get("parameters", ()))
