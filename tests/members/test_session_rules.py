"""Sessions: they end when idle, and when old."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.values import Sealed
from services.members.accounts.devices.model import Device
from services.members.accounts.sessions import model
from services.members.accounts.sessions.model import (
    Session,
    SessionOver,
    SignInMethod,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)


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
