"""What there is to be documented: contracts, services, refusals."""

from types import ModuleType

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Refusal
from services.chassis.ops.service import Service
from services.contracts import members, notify, requests
from services.members.app import service as members_service
from services.notify.app import service as notify_service
from services.requests.app import service as requests_service

CONTRACTS: dict[str, ModuleType] = {"members": members, "requests": requests, "notify": notify}
SERVICES: dict[str, Service] = {
    "members": members_service,
    "requests": requests_service,
    "notify": notify_service,
}


def contract_events(module: ModuleType) -> list[type[Event]]:
    """The events of one contract, in the order in which it states them."""
    return [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing.__module__ == module.__name__
    ]


def refusals() -> list[type[Refusal]]:
    """Every refusal there is, by code."""
    found, waiting = set(), [Refusal]
    while waiting:
        below = waiting.pop().__subclasses__()
        found.update(below)
        waiting += below
    return sorted((kind for kind in found if kind.__module__.startswith("services.")), key=lambda kind: kind.code())
