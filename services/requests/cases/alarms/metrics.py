"""The metrics of calls."""

from collections.abc import Iterable

from prometheus_client import Counter

from services.chassis.domain.events import Event
from services.contracts.requests.alarms import CaseCalled, CaseLinked

calls = Counter("linli_calls", "Calls of who is on call about cases of danger, by what came of them.", ["outcome"])


def count(events: Iterable[Event]) -> None:
    """Count what a write recorded: somebody was called, nobody was on call, or the danger was known already."""
    for event in events:
        if isinstance(event, CaseCalled):
            calls.labels("called" if event.person_id else "nobody_on_call").inc()
        elif isinstance(event, CaseLinked):
            calls.labels("linked").inc()
