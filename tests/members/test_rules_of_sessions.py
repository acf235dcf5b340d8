"""Sessions and guards: what their events make of them, and what ends a stay to the minute."""

import hashlib
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import (
    Session,
    SessionEnded,
    SessionOver,
    SessionRefreshed,
    SessionStarted,
    SignInAttempts,
    SignInMethod,
    SignInWrong,
    StaffSignedIn,
    StaffSignInFailed,
    TooManyAttempts,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
LIVES = [
    (SignInMethod.PHONE, timedelta(days=30), timedelta(days=180)),
    (SignInMethod.STAFF, timedelta(hours=2), timedelta(hours=12)),
]


def started(method: SignInMethod = SignInMethod.STAFF) -> Session:
    session = Session.blank("session_1")
    model.start(session, "account_1", method, "s0", START)
    return session


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.mark.parametrize(("method", "idle", "longest"), LIVES)
def test_residents_stay_for_a_month_and_half_a_year_and_staff_for_two_hours_and_a_shift(
    method: SignInMethod, idle: timedelta, longest: timedelta
) -> None:
    session = started(method)
    assert session.as_stored() == {
        "account_id": "account_1",
        "method": method,
        "refresh_token_hash": digest("s0"),
        "idle_until": START + idle,
        "ends_at": START + longest,
        "open": True,
    }
    later = START + idle - timedelta(seconds=1)
    model.rotate(session, ("s0", "s1"), later)
    assert (session.refresh_token_hash, session.idle_until) == (digest("s1"), later + idle)
    assert session.fresh[1:] == [SessionRefreshed(refresh_token_hash=digest("s1"), idle_until=later + idle)]


def test_a_session_is_over_the_moment_it_has_been_idle_for_too_long() -> None:
    with pytest.raises(SessionOver) as refused:
        model.rotate(started(), ("s0", "s1"), START + timedelta(hours=2))
    assert refused.value.kind is Kind.UNAUTHENTICATED


def test_a_session_that_is_refreshed_again_and_again_ends_when_it_is_old() -> None:
    session, now = started(), START
    for number in range(11):
        now += timedelta(hours=1)
        model.rotate(session, (f"s{number}", f"s{number + 1}"), now)
    assert session.idle_until == session.ends_at == START + timedelta(hours=12)
    with pytest.raises(SessionOver):
        model.rotate(session, ("s11", "s12"), START + timedelta(hours=12))


def test_a_spent_token_leaves_a_trace_and_a_stay_ends_once() -> None:
    session = started()
    with pytest.raises(SessionOver) as refused:
        model.rotate(session, ("old", "s1"), START)
    assert session.keeps(refused.value)
    assert session.fresh[1:] == [SessionEnded(reason="spent_token")]
    assert not session.open
    model.end(session)
    assert len(session.fresh) == 2


def test_signing_out_ends_the_session() -> None:
    session = started()
    model.end(session)
    model.end(session)
    assert session.fresh[1:] == [SessionEnded(reason="signed_out")]
    assert not session.open
    with pytest.raises(SessionOver):
        model.rotate(session, ("s0", "s1"), START)


def test_sessions_are_seen_by_their_account_and_guards_by_nobody() -> None:
    somebody = Actor("account_1", frozenset({"administrator"}), ("1507",))
    assert Session.visible(system_actor("timer")) == ALL
    assert Session.visible(somebody) == Visible(any_of=(("state.account_id", ("account_1",)),))
    assert SignInAttempts.visible(somebody) == Visible()


def test_nothing_of_signing_in_is_published() -> None:
    kinds = (SessionStarted, SessionRefreshed, SessionEnded, StaffSignedIn, StaffSignInFailed)
    assert all(kind.private for kind in kinds)


def test_a_guard_counts_failures_until_somebody_is_let_in() -> None:
    attempts = SignInAttempts.blank("signinattempt_1")
    assert attempts.as_stored() == {"failures": 0, "failed_at": None, "locked_until": None, "last_step": 0}
    for number in range(1, 6):
        with pytest.raises(SignInWrong) as refused:
            model.judge(attempts, None, START + timedelta(seconds=number))
        assert attempts.keeps(refused.value)
        assert refused.value.kind is Kind.UNAUTHENTICATED
    fifth = START + timedelta(seconds=5)
    locked = fifth + timedelta(minutes=1)
    assert attempts.fresh[-1] == StaffSignInFailed(failures=5, at=fifth, locked_until=locked)
    assert attempts.as_stored() == {"failures": 5, "failed_at": fifth, "locked_until": locked, "last_step": 0}
    model.judge(attempts, 7, locked)
    assert attempts.fresh[5:] == [StaffSignedIn(step=7)]
    assert attempts.as_stored() == {"failures": 0, "failed_at": None, "locked_until": None, "last_step": 7}


def test_a_locked_login_opens_when_the_lock_ends_and_says_in_seconds_when() -> None:
    attempts = SignInAttempts.blank("signinattempt_1")
    model.expect_unlocked(attempts, START)
    attempts.record(StaffSignInFailed(failures=5, at=START, locked_until=START + timedelta(minutes=1)))
    with pytest.raises(TooManyAttempts) as refused:
        model.expect_unlocked(attempts, START + timedelta(milliseconds=500))
    assert (refused.value.retry_after, refused.value.kind) == (60, Kind.TOO_MANY)
    model.expect_unlocked(attempts, START + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("quiet", "remembered"), [(timedelta(minutes=59), 3), (timedelta(hours=1), 0), (timedelta(hours=2), 0)]
)
def test_failures_are_remembered_for_an_hour(quiet: timedelta, remembered: int) -> None:
    attempts = SignInAttempts.blank("signinattempt_1")
    assert attempts.failures_by(START) == 0
    attempts.record(StaffSignInFailed(failures=3, at=START))
    assert attempts.failures_by(START + quiet) == remembered


def test_locks_double_from_a_minute_to_a_quarter_of_an_hour() -> None:
    minutes = [lock and lock.total_seconds() / 60 for lock in map(model.lock_after, range(1, 11))]
    assert minutes == [None, None, None, None, 1, 2, 4, 8, 15, 15]


def test_a_one_time_code_fits_its_step_and_the_two_beside_it_and_no_used_one() -> None:
    secret, step = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", int(START.timestamp()) // 30
    codes = {offset: pyotp.TOTP(secret).generate_otp(step + offset) for offset in range(-2, 3)}
    assert len(set(codes.values())) == 5
    found = {offset: model.step_of(code, secret, 0, START) for offset, code in codes.items()}
    assert found == {-2: None, -1: step - 1, 0: step, 1: step + 1, 2: None}
    assert model.step_of(codes[0], secret, step, START) is None
    assert model.step_of(codes[1], secret, step, START) == step + 1
