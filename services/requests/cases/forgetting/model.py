"""The rules of forgetting, over cases."""

from datetime import datetime

from services.contracts.requests.cases import CaseCancelled, CaseForgotten, ForgetCause
from services.requests.cases.clocks.model import Retention
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN


def forget(case: Case, because: ForgetCause, now: datetime) -> None:
    """Forget the words of a case; does nothing if they are forgotten already.

    An open case is cancelled first: nobody could work on it without its words.
    """
    if case.forgotten is not None:
        return
    if case.state in OPEN:
        case.record(CaseCancelled(ended_at=now))
    case.forget(CaseForgotten(because=because))


def forget_over(case: Case, retention: Retention, now: datetime) -> None:
    """Forget the words of a case if its retention period is over. It may have been reopened since it was found."""
    end = retention.end(case)
    if end is not None and end <= now:
        forget(case, ForgetCause.TERM, now)
