"""The states of a case, the groups of states, and the events that lead into them."""

from collections.abc import Mapping
from enum import StrEnum

from services.chassis.domain.events import Event
from services.contracts.requests import cases as contract


class State(StrEnum):
    """The state of a case. Escalation is not a state: it is a level, an owner and a clock on any open case."""

    NEW = "new"
    VERIFIED = "verified"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    RETURNED = "returned"
    RESOLVED = "resolved"
    CALLBACK = "callback"
    CLOSED = "closed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


WAITING = frozenset((State.NEW, State.VERIFIED, State.RETURNED))
"""Nobody has it: it waits for a dispatcher or a supervisor."""
HELD = frozenset((State.DISPATCHED, State.ACCEPTED, State.IN_PROGRESS, State.SUSPENDED))
"""A handler has it."""
OPEN = WAITING | HELD
RUNNING = OPEN - {State.SUSPENDED}
"""Its clock runs."""
ABANDONED = frozenset((State.REJECTED, State.CANCELLED))
"""It ended without being done: nobody has it any more."""
DONE = frozenset((State.RESOLVED, State.CALLBACK))

STATE_AFTER: Mapping[type[Event], State] = {
    contract.CaseFiled: State.NEW,
    contract.CaseVerified: State.VERIFIED,
    contract.CaseDispatched: State.DISPATCHED,
    contract.CaseAccepted: State.ACCEPTED,
    contract.CaseStarted: State.IN_PROGRESS,
    contract.CasePaused: State.SUSPENDED,
    contract.CaseResumed: State.IN_PROGRESS,
    contract.CaseReturned: State.RETURNED,
    contract.CaseResolved: State.RESOLVED,
    contract.CaseCalledBack: State.CALLBACK,
    contract.CaseReopened: State.VERIFIED,
    contract.CaseClosed: State.CLOSED,
    contract.CaseCancelled: State.CANCELLED,
    contract.CaseRejected: State.REJECTED,
}
"""The state after an event; an event that is not in the table leaves the state as it is."""
