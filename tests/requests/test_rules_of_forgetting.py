"""The words of a case: when they are forgotten, why, and what happens to a case that is open."""

from datetime import timedelta

import pytest

from services.contracts.requests import cases as contract
from services.contracts.requests.cases import ForgetCause
from services.requests.cases.clocks.model import Retention
from services.requests.cases.forgetting.model import forget, forget_over
from services.requests.cases.model import Case
from tests.requests.test_life_of_a_case import MONDAY, filed

DAY = timedelta(days=1)
TERM = Retention.of_days(30)


def over() -> Case:
    """A case that ended on Monday."""
    case = filed(MONDAY)
    case.record(contract.CaseCancelled(ended_at=MONDAY))
    case.fresh.clear()
    return case


@pytest.mark.parametrize("because", ForgetCause)
def test_the_words_of_a_case_that_is_over_are_forgotten_for_a_cause_and_once(because: ForgetCause) -> None:
    case = over()
    forget(case, because, MONDAY + DAY)
    assert (case.fresh, case.forgotten) == ([contract.CaseForgotten(because=because)], because)
    forget(case, ForgetCause.ORDER, MONDAY + 2 * DAY)
    assert (len(case.fresh), case.forgotten) == (1, because)


def test_an_open_case_is_cancelled_before_its_words_are_forgotten() -> None:
    case = filed(MONDAY)
    case.fresh.clear()
    forget(case, ForgetCause.ERASED, MONDAY + DAY)
    assert case.fresh == [
        contract.CaseCancelled(ended_at=MONDAY + DAY),
        contract.CaseForgotten(because=ForgetCause.ERASED),
    ]


def test_the_term_ends_to_the_moment_and_counts_from_the_end_of_the_case() -> None:
    case = over()
    forget_over(case, TERM, MONDAY + 30 * DAY - timedelta(microseconds=1))
    assert (case.fresh, case.forgotten) == ([], None)
    forget_over(case, TERM, MONDAY + 30 * DAY)
    assert (case.fresh, case.forgotten) == ([contract.CaseForgotten(because=ForgetCause.TERM)], ForgetCause.TERM)


def test_a_case_that_is_open_or_kept_for_good_is_not_forgotten() -> None:
    for case, retention in ((filed(MONDAY), TERM), (over(), Retention.of_days(0))):
        case.fresh.clear()
        forget_over(case, retention, MONDAY + 9999 * DAY)
        assert (case.fresh, case.forgotten) == ([], None)
