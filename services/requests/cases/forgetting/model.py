"""The rules of forgetting, over cases."""

from datetime import datetime

from services.contracts.requests.cases import CaseCancelled, CaseForgotten, ForgetCause
from services.requests.cases.model import Case, Retention
from services.requests.cases.states.model import OPEN


def forget(case: Case, because: ForgetCause, now: datetime) -> None:
    """Let the words of a case be gone; nothing happens where they are. An open case is withdrawn first.

    Nobody could go on with it: what is to be done, and where, stands in its words.
    """
    if case.forgotten is not None:
        return
    if case.state in OPEN:
        case.record(CaseCancelled(ended_at=now))
    case.forget(CaseForgotten(because=because))


def forget_over(case: Case, retention: Retention, now: datetime) -> None:
    """Let the words of a case be gone if its term is over; it may have been reopened since that was seen."""
    end = retention.end(case)
    if end is not None and end <= now:
        forget(case, ForgetCause.TERM, now)
