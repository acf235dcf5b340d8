"""What there is to be documented: contracts, services, refusals."""

import importlib
import pkgutil
from types import ModuleType

import services
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Refusal
from services.chassis.runtime.service import Service
from services.chassis.runtime.texts import load
from services.members.app import service as members_service
from services.notify.app import service as notify_service
from services.requests.app import service as requests_service

SERVICES: dict[str, Service] = {
    "members": members_service,
    "requests": requests_service,
    "notify": notify_service,
}


TEXTS = load(tuple(dict.fromkeys(package for service in SERVICES.values() for package in service.texts)))
"""All texts of all services."""


def contract_package(service: str) -> ModuleType:
    """The package of a service's contract: a module for each of its sub-domains."""
    return importlib.import_module(f"services.contracts.{service}")


def contract_events(service: str) -> list[type[Event]]:
    """The events that a service publishes, by sub-domain, in the order in which each contract states them."""
    package = contract_package(service)
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    return [
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing.__module__ == module.__name__
    ]


def metrics() -> list[ModuleType]:
    """The modules that declare metrics: that of the chassis, and those of the sub-domains."""
    modules = pkgutil.walk_packages(services.__path__, "services.")
    return [importlib.import_module(found.name) for found in modules if found.name.endswith(".metrics")]


def refusals() -> list[type[Refusal]]:
    """Every refusal there is, by code."""
    found, waiting = set(), [Refusal]
    while waiting:
        below = waiting.pop().__subclasses__()
        found.update(below)
        waiting += below
    return sorted((kind for kind in found if kind.__module__.startswith("services.")), key=lambda kind: kind.code())
