"""Sessions: what their events make of them, and what ends a stay to the minute."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.chassis.domain.values import Sealed
from services.contracts.members.accounts import NewDeviceUsed, SessionEnd, SessionEnded
from services.members.accounts.authenticators.model import Authenticator, StaffSignedIn
from services.members.accounts.devices.model import Device, SignInDevice, kind_of_device
from services.members.accounts.model import DevicesForgotten
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import (
    RefreshToken,
    Session,
    SessionOver,
    SessionRefreshed,
    SessionStarted,
    SignInMethod,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
LIVES = [
    (SignInMethod.PHONE, timedelta(days=30), timedelta(days=180)),
    (SignInMethod.STAFF, timedelta(hours=2), timedelta(hours=12)),
]


_ANDROID, _WECHAT = "Mozilla/5.0 (Linux; Android ", "Mozilla/5.0 (Linux; Android 14; M2012K11AC) MicroMessenger/"
DEVICE = Device(Sealed("1.device"), "0" * 40)
TOKENS_UNTIL = START + timedelta(hours=1)


def started(method: SignInMethod = SignInMethod.STAFF, device: Device = DEVICE) -> Session:
    session = Session.blank("session_1")
    model.start(session, "account_1", "person_1", method, device, START)
    return session


def ended(reason: str) -> SessionEnded:
    return SessionEnded(person_id="person_1", reason=reason, tokens_until=TOKENS_UNTIL)


@pytest.mark.parametrize(("method", "idle", "longest"), LIVES)
def test_residents_stay_for_a_month_and_half_a_year_and_staff_for_two_hours_and_a_shift(
    method: SignInMethod, idle: timedelta, longest: timedelta
) -> None:
    session = started(method)
    assert session.as_stored() == {
        "account_id": "account_1",
        "person_id": "person_1",
        "method": method,
        "device": "1.device",
        "device_index": "0" * 40,
        "generation": 0,
        "started_at": START,
        "refreshed_at": START,
        "idle_until": START + idle,
        "ends_at": START + longest,
        "open": True,
        "ended": None,
        "tokens_until": None,
    }
    later = START + idle - timedelta(seconds=1)
    model.rotate(session, 0, later)
    assert (session.generation, session.refreshed_at, session.idle_until) == (1, later, later + idle)
    assert session.fresh[1:] == [SessionRefreshed(generation=1, refreshed_at=later, idle_until=later + idle)]


def test_a_session_is_over_the_moment_it_has_been_idle_for_too_long() -> None:
    with pytest.raises(SessionOver) as refused:
        model.rotate(started(), 0, START + timedelta(hours=2))
    assert refused.value.kind is Kind.UNAUTHENTICATED


def test_a_session_that_is_refreshed_again_and_again_ends_when_it_is_old() -> None:
    session, now = started(), START
    for number in range(11):
        now += timedelta(hours=1)
        model.rotate(session, number, now)
    assert session.idle_until == session.ends_at == START + timedelta(hours=12)
    with pytest.raises(SessionOver):
        model.rotate(session, 11, START + timedelta(hours=12))


def test_a_spent_token_leaves_a_trace_and_a_stay_ends_once() -> None:
    session = started()
    for generation in (0, 1):
        model.rotate(session, generation, START)
    with pytest.raises(SessionOver) as refused:
        model.rotate(session, 0, START)
    assert session.keeps(refused.value)
    assert session.fresh[3:] == [ended("spent_token")]
    assert session.stolen_at == START
    assert (session.open, session.tokens_until) == (False, TOKENS_UNTIL)
    model.end(session, SessionEnd.SIGNED_OUT, START)
    assert len(session.fresh) == 4


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 45)), max_size=40))
def test_a_token_is_good_once_and_the_one_before_only_while_its_successor_is_unused_and_young(
    tries: list[tuple[int, int]],
) -> None:
    session, now, rotated = started(SignInMethod.PHONE), START, START
    for age, wait in tries:
        now += timedelta(seconds=wait)
        generation, current = max(0, session.generation - age), session.generation
        latest = generation == current
        repeated = current > 0 and generation == current - 1 and now < rotated + timedelta(seconds=30)
        if latest or repeated:
            model.rotate(session, generation, now)
            assert session.generation == current + latest
            rotated = now if latest else rotated
        else:
            with pytest.raises(SessionOver):
                model.rotate(session, generation, now)
            assert not session.open
            return


@pytest.mark.parametrize("reason", [SessionEnd.SIGNED_OUT, SessionEnd.ENDED_ELSEWHERE])
def test_signing_out_ends_the_session(reason: SessionEnd) -> None:
    session = started()
    model.end(session, reason, START)
    model.end(session, reason, START)
    assert session.fresh[1:] == [ended(reason)]
    assert (session.open, session.stolen_at) == (False, None)
    with pytest.raises(SessionOver):
        model.rotate(session, 0, START)


def test_the_session_of_a_closed_account_ends_with_it_once() -> None:
    session = started()
    with pytest.raises(SessionOver) as refused:
        model.end_with_account(session, START)
    assert session.keeps(refused.value)
    model.end_with_account(session, START)
    assert session.fresh[1:] == [ended("account_closed")]


def test_a_token_that_is_ahead_of_the_database_is_refused_and_does_no_harm() -> None:
    session = started()
    with pytest.raises(SessionOver):
        model.rotate(session, 1, START)
    assert session.open


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "session_1",
        "session_1.0",
        "session_1.0.",
        ".0.secret",
        "session_1.x.secret",
        "session_1.-1.s",
        "session_1.٣.secret",
        "session_1.9999999999.secret",
    ],
)
def test_what_is_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(SessionOver):
        RefreshToken.parse(text)


def test_a_refresh_token_reads_as_it_is_written() -> None:
    token = RefreshToken("session_1", 12, "secret")
    assert RefreshToken.parse(str(token)) == token


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Firefox/121.0", "Firefox/122.0.1", True),
        (
            f"{_ANDROID}14; SM-G991B Build/UP1A.231005.007) Chrome/120.0",
            f"{_ANDROID}15; SM-G991B) Chrome/121.0.1",
            True,
        ),
        (f"{_WECHAT}8.0.47(0x28002F30) NetType/WIFI Language/zh_CN", f"{_WECHAT}8.0.50(0x28003255) NetType/4G", True),
        (f"{_ANDROID}14; SM-G991B)", f"{_ANDROID}14; Pixel 8)", False),
        ("Firefox/121.0", "Chrome/121.0", False),
        ("", "Firefox/121.0", False),
    ],
)
def test_an_update_makes_no_new_device_and_another_make_does(one: str, other: str, *, same: bool) -> None:
    assert (kind_of_device(one) == kind_of_device(other)) is same


def test_sessions_are_seen_by_their_account_and_authenticators_by_nobody() -> None:
    somebody = Actor("account_1", frozenset({"administrator"}), ("1507",))
    assert Session.visible(system_actor("timer")) == ALL
    assert Session.visible(somebody) == Visible(any_of=(("state.account_id", ("account_1",)),))
    assert Authenticator.visible(somebody) == Visible()


def test_nothing_of_signing_in_is_published() -> None:
    kinds = (SessionStarted, SessionRefreshed, StaffSignedIn, DevicesForgotten)
    assert all(kind.private for kind in kinds)


def test_of_the_end_of_a_session_and_of_a_new_device_only_ids_a_reason_and_a_time_are_published() -> None:
    assert SessionEnded.model_fields.keys() == {"person_id", "reason", "tokens_until"}
    assert NewDeviceUsed.model_fields.keys() == {"person_id"}


def test_a_device_is_known_by_the_id_that_its_client_keeps_and_else_by_its_kind() -> None:
    kept = SignInDevice.of("Firefox/121.0", "k7Qm2xWc0vT9aLzR")
    assert kept == ("Firefox/121.0", "id:k7Qm2xWc0vT9aLzR")
    assert SignInDevice.of("Firefox/121.0", None) == ("Firefox/121.0", "kind:Firefox/")
    assert SignInDevice.of(None, None) == ("", "kind:")
    assert SignInDevice.of("手机".encode().decode("latin-1"), None).name == "手机"
