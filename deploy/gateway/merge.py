"""Merges the OpenAPI documents of the services into one."""

from collections.abc import Mapping
from typing import Any

from deploy.gateway.intro import INTRO, TAGS

TITLE = "Linli"


def merge(documents: Mapping[str, Mapping[str, Any]], public: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """One document with the public paths of all services.

    A schema that two services define differently is renamed in both.
    """
    merged: dict[str, Any] = {"openapi": "3.1.0", "paths": {}, "components": {}}
    versions = {document["info"]["version"] for document in documents.values()}
    merged["info"] = {"title": TITLE, "version": max(versions, default="0"), "description": INTRO}
    for service, document in documents.items():
        own = _renamed(document, _clashes(merged, document), service)
        for kind, parts in own.get("components", {}).items():
            merged["components"].setdefault(kind, {}).update(parts)
        merged["paths"].update(
            {path: item for path, item in own.get("paths", {}).items() if _is_public(path, public[service])}
        )
    merged["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    return merged


def _clashes(merged: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, set[str]]:
    """The components, by kind, whose name another definition has taken."""
    return {
        kind: {name for name, part in parts.items() if merged["components"].get(kind, {}).get(name, part) != part}
        for kind, parts in document.get("components", {}).items()
    }


def _renamed(document: Mapping[str, Any], clashes: Mapping[str, set[str]], service: str) -> dict[str, Any]:
    """The document with its clashing components, and every reference to them, prefixed with the service."""
    names = {
        f"#/components/{kind}/{name}": f"#/components/{kind}/{service.capitalize()}{name}"
        for kind, clashing in clashes.items()
        for name in clashing
    }
    own: dict[str, Any] = _with_references(document, names)
    for kind, clashing in clashes.items():
        for name in clashing:
            own["components"][kind][f"{service.capitalize()}{name}"] = own["components"][kind].pop(name)
    return own


def _with_references(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _with_references(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_references(value, names) for value in node]
    return names.get(node, node) if isinstance(node, str) else node


def _is_public(path: str, public: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in public)
