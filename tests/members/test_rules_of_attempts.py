"""Failed attempts of staff: locks that grow, and one-time codes that are good once."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Kind
from services.members.accounts.attempts import model
from services.members.accounts.attempts.model import TooManyAttempts
from services.members.accounts.authenticators import model as authenticators
from services.members.accounts.authenticators.model import Authenticator, SignInWrong, StaffSignedIn

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the key of RFC 6238's test vectors


@given(st.integers(1, 60))
def test_each_failure_locks_at_least_as_long_as_the_one_before_and_a_quarter_of_an_hour_at_most(
    failures: int,
) -> None:
    before, after = model.lock_after(failures), model.lock_after(failures + 1)
    assert (before is None) == (failures < 5)
    assert (before or timedelta()) <= (after or timedelta()) <= timedelta(minutes=15)


def test_locks_double_from_a_minute_to_a_quarter_of_an_hour_and_so_many_failures_are_kept() -> None:
    minutes = [lock and lock.total_seconds() / 60 for lock in map(model.lock_after, range(1, 11))]
    assert minutes == [None, None, None, None, 1, 2, 4, 8, 15, 15]
    assert model.lock_after(model.KEPT) == model.LONGEST_LOCK


def test_a_lock_ends_to_the_second_and_says_when() -> None:
    failed_at = [START] * 5
    with pytest.raises(TooManyAttempts) as refused:
        model.expect_unlocked(failed_at, START + timedelta(milliseconds=500))
    assert (refused.value.retry_after, refused.value.kind) == (60, Kind.TOO_MANY)
    model.expect_unlocked(failed_at, START + timedelta(minutes=1))
    model.expect_unlocked(failed_at[:4], START)
    model.expect_unlocked([], START)


@pytest.mark.parametrize(
    ("quiet", "remembered"), [(timedelta(minutes=59), 3), (timedelta(hours=1), 0), (timedelta(hours=2), 0)]
)
def test_failures_are_remembered_until_a_quiet_hour(quiet: timedelta, remembered: int) -> None:
    failed_at = [START - timedelta(hours=3), START - timedelta(minutes=50), START]
    assert len(model.in_a_row(failed_at, START + quiet)) == remembered
    assert len(model.in_a_row([START] * 100, START)) == model.KEPT
    assert model.in_a_row([], START) == ()


def test_a_one_time_code_is_good_a_step_early_and_late_but_only_once() -> None:
    totp, now = pyotp.TOTP(SECRET), datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)
    step = int(now.timestamp()) // 30
    found = [authenticators.step_of(totp.generate_otp(step + off), SECRET, 0, now) for off in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]
    assert authenticators.step_of(totp.generate_otp(step), SECRET, step, now) is None
    assert authenticators.step_of(totp.generate_otp(step - 1), SECRET, step, now) is None
    assert authenticators.step_of(totp.generate_otp(step + 1), SECRET, step, now) == step + 1


def test_a_one_time_code_is_that_of_rfc_6238() -> None:
    assert authenticators.step_of("287082", SECRET, 0, datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)) == 1


def test_an_authenticator_remembers_the_last_code_that_was_accepted() -> None:
    authenticator, step = Authenticator.blank("authenticator_1"), int(START.timestamp()) // 30
    assert authenticator.as_stored() == {"last_step": 0}
    code = pyotp.TOTP(SECRET).generate_otp(step)
    authenticators.accept(authenticator, code, SECRET, START)
    assert (authenticator.fresh, authenticator.as_stored()) == ([StaffSignedIn(step=step)], {"last_step": step})
    with pytest.raises(SignInWrong) as refused:
        authenticators.accept(authenticator, code, SECRET, START)
    assert refused.value.kind is Kind.UNAUTHENTICATED
