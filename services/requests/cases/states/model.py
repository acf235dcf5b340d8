"""The states of a case: which there are, what they have in common, and which events lead into them."""

from collections.abc import Mapping
from enum import StrEnum

from services.chassis.domain.events import Event
from services.contracts.requests import cases as contract
from services.contracts.requests.catalogue import Words


class State(StrEnum):
    """Where a case is in its life. Escalation is not among them: it is level, owner and clock on any open state."""

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
"""Somebody has it."""
OPEN = WAITING | HELD
RUNNING = OPEN - {State.SUSPENDED}
"""Its clock runs."""
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
"""Into which state an event brings a case; an event that is not here leaves it where it is."""

STATE_NAMES: Mapping[State, Words] = {
    State.NEW: Words(zh="待派单", en="New"),
    State.VERIFIED: Words(zh="已核实，待派单", en="Verified"),
    State.DISPATCHED: Words(zh="已派单", en="Dispatched"),
    State.ACCEPTED: Words(zh="已接单", en="Accepted"),
    State.IN_PROGRESS: Words(zh="办理中", en="In progress"),
    State.SUSPENDED: Words(zh="暂停", en="Suspended"),
    State.RETURNED: Words(zh="已退单，待改派", en="Returned"),
    State.RESOLVED: Words(zh="已办结", en="Resolved"),
    State.CALLBACK: Words(zh="已回访", en="Called back"),
    State.CLOSED: Words(zh="已归档", en="Closed"),
    State.REJECTED: Words(zh="不予受理", en="Rejected"),
    State.CANCELLED: Words(zh="已撤回", en="Cancelled"),
}
