"""Where the code of the services is found: by looking through it, so that a module that moves changes nothing."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from services.chassis.domain.entity import Entity
from services.chassis.usecase import Container
from tests.architecture.code import Source, sources
from tests.contracts.corpus import SERVICES


@cache
def parsed() -> tuple[tuple[ModuleType, ast.Module], ...]:
    """Every module of the services, imported, with its source; entry points are left out."""
    found = [source for source in sources("services") if source.path.stem != "__main__"]
    return tuple((_imported(source), source.tree) for source in found)


def _imported(source: Source) -> ModuleType:
    return importlib.import_module(source.name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def classes() -> Iterator[type[Any]]:
    """Every class that a module of the services defines."""
    for module, _ in parsed():
        yield from (k for k in vars(module).values() if isinstance(k, type) and k.__module__ == module.__name__)


def named(name: str) -> Any:
    """The one class of this name, in whichever module it is."""
    (found,) = {kind for kind in classes() if kind.__name__ == name}
    return found


def services() -> dict[str, Any]:
    """Each service as its ``app.py`` puts it together."""
    return {name: importlib.import_module(f"services.{name}.app").service for name in SERVICES}


def settings() -> Any:
    """The settings of a process in a city called ``city``; addresses where nobody answers."""
    uris = {name: f"mongodb://127.0.0.1:1/{name}" for name in SERVICES}
    return named("Settings").model_construct(
        city="city", city_data=Path("nowhere"), kafka="127.0.0.1:1", port=0, mongo=uris
    )


def nothing() -> Container:
    """What a route is given where nobody calls it."""
    return cast(Container, None)


def owned(service: str) -> tuple[type[Entity[Any]], ...]:
    """The entities of a service."""
    return cast(tuple[type[Entity[Any]], ...], services()[service].entities)
