"""Who is on call in a seeded city: at each level somebody, at every hour of four weeks, and accounts that are there."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from deploy.cities.load import load
from deploy.cli.seeding.duty import Roster, monday, rosters
from services.chassis.domain.values import wall_time
from services.contracts.members.rosters import Shift
from services.members.rosters.model import LONGEST, instant
from tests.cli.test_staff import STAFF
from tests.conftest import CITY_DATA

CITY = load(CITY_DATA)
ROSTERS = rosters(CITY)
ZONE = ZoneInfo("Asia/Shanghai")


def test_city_counties_and_sub_districts_have_a_roster_for_each_service_system() -> None:
    levels = [area for area in CITY.areas if area.level in ("city", "county", "sub_district")]
    assert len(ROSTERS) == len({roster.key for roster in ROSTERS}) == 4 * len(levels)
    logins = {one.login: one for one in STAFF}
    for roster in ROSTERS:
        for login in filter(None, (roster.first, roster.backup)):
            assert {*logins[login].roles} <= {"handler", "dispatcher", "supervisor"}
            assert any(roster.area.startswith(place) for place in logins[login].places)


@pytest.mark.parametrize("today", [date(2026, 11, 30), date(2026, 12, 6), date(2027, 1, 31)])
def test_somebody_is_on_call_at_every_hour_of_four_weeks(today: date) -> None:
    roster = Roster("1507", "health", "supervisor", "backup")
    shifts = [
        Shift(
            id="shift_1",
            account_id="account_1",
            person_id=str(one["login"]),
            start=instant(wall_time(one["start"]), ZONE),
            end=instant(wall_time(one["end"]), ZONE),
            backup=bool(one["backup"]),
        )
        for one in roster.shifts(today)
    ]
    assert all(shift.end - shift.start <= LONGEST for shift in shifts)
    for backup in (False, True):
        own = [shift for shift in shifts if shift.backup == backup]
        assert all(earlier.end == later.start for earlier, later in pairwise(own))
        assert own[0].start == datetime.combine(monday(today), datetime.min.time(), ZONE)
        assert own[-1].end - own[0].start == timedelta(weeks=4)
    assert monday(today).weekday() == 0
