"""Quiet hours: by the clock of the city, past midnight too, and never longer than a day."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.contracts.notify.messages import Via
from services.contracts.notify.preferences import PreferencesSet
from services.notify.preferences.model import AddressMissing, Preferences, QuietHours, QuietHoursUnfit, choose

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
INSTANTS = st.integers(0, 20 * 366 * 1440).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(CLOCKS, CLOCKS, INSTANTS)
def test_what_is_held_back_goes_out_when_they_end_and_not_before(start: time, end: time, at: datetime) -> None:
    assume(start != end)
    quiet = QuietHours(start, end)
    free = quiet.after(at, ZONE)
    assert at <= free < at + timedelta(days=1)
    assert not quiet.contains(free, ZONE)
    if quiet.contains(at, ZONE):
        assert free.astimezone(ZONE).time() == end
        assert quiet.contains(free - timedelta(microseconds=1), ZONE)
    else:
        assert free == at


@given(CLOCKS, CLOCKS, INSTANTS)
def test_an_instant_is_quiet_by_day_or_by_the_night_around_it(start: time, end: time, at: datetime) -> None:
    assume(start != end)
    assert QuietHours(start, end).contains(at, ZONE) != QuietHours(end, start).contains(at, ZONE)


@pytest.mark.parametrize(
    ("utc", "free"),
    [("13:59", "13:59"), ("14:00", "23:00"), ("22:59", "23:00"), ("23:00", "23:00")],
)
def test_a_night_from_22_to_7_is_the_citys_night(utc: str, free: str) -> None:
    at = datetime.fromisoformat(f"2026-11-23T{utc}:00+00:00")
    assert QuietHours(time(22), time(7)).after(at, ZONE).strftime("%H:%M") == free


def chosen(**of: object) -> PreferencesSet:
    return PreferencesSet(**{"person_id": "person_1", "channels": [Via.INBOX], "language": "zh", **of})


def test_quiet_hours_need_two_different_ends() -> None:
    for wrong in ({"quiet_from": "22:00"}, {"quiet_to": "07:00"}, {"quiet_from": "07:00", "quiet_to": "07:00"}):
        with pytest.raises(QuietHoursUnfit):
            choose(Preferences.untouched("person_1"), chosen(**wrong))


def test_mail_needs_an_address() -> None:
    with pytest.raises(AddressMissing):
        choose(Preferences.untouched("person_1"), chosen(channels=[Via.INBOX, Via.EMAIL]))
