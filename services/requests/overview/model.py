"""How long a case waited, from its history."""

from collections.abc import Iterable

from services.chassis.domain.events import Event, Recorded
from services.contracts.requests.cases import CaseAccepted, CaseFiled, CaseReopened, CaseResolved

_BEGINS = (CaseFiled.type_name(), CaseReopened.type_name())


def response_seconds(history: Iterable[Recorded], version: int) -> float | None:
    """From filing (or reopening) to this version, if it is the first acceptance since; else None."""
    return _first_since(history, version, CaseAccepted)


def resolution_seconds(history: Iterable[Recorded], version: int) -> float | None:
    """From filing (or reopening) to this version, if it is the first resolution since; else None."""
    return _first_since(history, version, CaseResolved)


def _first_since(history: Iterable[Recorded], version: int, wanted: type[Event]) -> float | None:
    begun: Recorded | None = None
    met = False
    for recorded in history:
        if recorded.type in _BEGINS:
            begun, met = recorded, False
        if recorded.version == version:
            return (recorded.at - begun.at).total_seconds() if begun and not met else None
        met = met or recorded.type == wanted.type_name()
    return None
