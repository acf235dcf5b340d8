"""The rules of forgetting, over cases."""

from services.contracts.requests.cases import CaseCancelled, CaseForgotten, ForgetCause
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN


def forget(case: Case, because: ForgetCause) -> None:
    """Let the words of a case be gone; nothing happens where they are. An open case is withdrawn first.

    Nobody could go on with it: what is to be done, and where, stands in its words.
    """
    if case.forgotten is not None:
        return
    if case.state in OPEN:
        case.record(CaseCancelled())
    case.forget(CaseForgotten(because=because))
