"""Sessions: refresh tokens, the staff's one-time codes, and locks that grow."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.values import Sealed
from services.members.accounts.devices.model import Device
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import (
    Session,
    SessionOver,
    SignInAttempts,
    SignInMethod,
    SignInWrong,
    TooManyAttempts,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the key of RFC 6238's test vectors


@given(st.integers(1, 60))
def test_each_failure_locks_at_least_as_long_as_the_one_before_and_a_quarter_of_an_hour_at_most(
    failures: int,
) -> None:
    before, after = model.lock_after(failures), model.lock_after(failures + 1)
    assert (before is None) == (failures < 5)
    assert (before or timedelta()) <= (after or timedelta()) <= timedelta(minutes=15)


def test_the_fifth_failure_locks_for_a_minute_and_each_further_one_twice_as_long() -> None:
    assert [model.lock_after(n) for n in (4, 5, 6, 7)] == [None, *(timedelta(minutes=m) for m in (1, 2, 4))]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=60))
def test_a_locked_login_lets_nobody_in(tries: list[tuple[bool, int]]) -> None:
    attempts, now, step, in_a_row = SignInAttempts.blank("signinattempt_1"), START, 1, 0
    for right, wait in tries:
        now += timedelta(seconds=wait)
        try:
            model.expect_unlocked(attempts, now)
            model.judge(attempts, step if right else None, now)
            assert right
            step, in_a_row = step + 1, 0
        except SignInWrong:
            in_a_row += 1
        except TooManyAttempts as refusal:
            assert in_a_row >= 5
            assert refusal.retry_after is not None
            assert 0 < refusal.retry_after <= 900
        assert attempts.failures == in_a_row


def failed(attempts: SignInAttempts, now: datetime) -> timedelta | None:
    with pytest.raises(SignInWrong):
        model.judge(attempts, None, now)
    return None if attempts.locked_until is None else attempts.locked_until - now


def test_failures_are_forgotten_after_a_quiet_hour() -> None:
    attempts, now = SignInAttempts.blank("signinattempt_1"), START
    for _ in range(12):
        lock = failed(attempts, now)
        now += lock or timedelta()
    assert lock == timedelta(minutes=15)
    now += timedelta(minutes=45, seconds=-1)
    assert failed(attempts, now) == timedelta(minutes=15)
    assert [failed(attempts, now + timedelta(hours=1)) for _ in range(5)] == [None] * 4 + [timedelta(minutes=1)]


def test_a_one_time_code_is_good_a_step_early_and_late_but_only_once() -> None:
    totp, now = pyotp.TOTP(SECRET), datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)
    step = int(now.timestamp()) // 30
    found = [model.step_of(totp.generate_otp(step + off), SECRET, 0, now) for off in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]
    assert model.step_of(totp.generate_otp(step), SECRET, step, now) is None
    assert model.step_of(totp.generate_otp(step - 1), SECRET, step, now) is None
    assert model.step_of(totp.generate_otp(step + 1), SECRET, step, now) == step + 1


def test_a_one_time_code_is_that_of_rfc_6238() -> None:
    assert model.step_of("287082", SECRET, 0, datetime(1970, 1, 1, 0, 0, 59, tzinfo=UTC)) == 1


def started(method: SignInMethod) -> Session:
    session = Session.blank("session_1")
    device = Device(Sealed("1.device"), "0" * 40)
    model.start(session, "account_1", "person_1", method, device, START)
    return session


@given(st.sampled_from(list(SignInMethod)), st.lists(st.integers(1, 40 * 24 * 60), max_size=30))
def test_a_session_ends_when_idle_and_when_old(method: SignInMethod, minutes: list[int]) -> None:
    session, now, last = started(method), START, START
    idle, longest = model.LIVES[method]
    for number, wait in enumerate(minutes):
        now += timedelta(minutes=wait)
        if now - last >= idle or now - START >= longest:
            with pytest.raises(SessionOver):
                model.rotate(session, number, now)
            return
        model.rotate(session, number, now)
        last = now
