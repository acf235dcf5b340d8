"""Rosters: what is entered makes sense, a gap is reported in time, and one first and one backup are on call."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import SYSTEM, Actor
from services.chassis.domain.values import wall_time
from services.contracts.members.rosters import Shift
from services.members.rosters import model
from services.members.rosters.model import Roster, gaps
from tests.members.rosters import DAY, HOUR, NOW, ZONE, a_roster, reported, shift
from tests.members.support import CITY, COMMUNITY, COUNTY, FAR_STREET, STREET


def refused(roster: Roster, *shifts: Shift) -> str:
    with pytest.raises(Refusal) as refusal:
        model.add(roster, shifts, NOW, ZONE)
    return refusal.value.code()


def test_a_gap_is_reported_two_days_ahead_and_once() -> None:
    roster = a_roster(shift(0, 100), shift(110, 200))
    assert reported(roster, NOW + 100 * HOUR - DAY * 2 - timedelta(seconds=1)) == []
    assert reported(roster, NOW + 100 * HOUR - DAY * 2) == [(100, 110)]
    assert reported(roster, NOW + 120 * HOUR) == []
    assert reported(roster, NOW + 200 * HOUR) == [(200, None)]
    assert roster.alert_at is None


def test_who_enters_one_shift_after_the_other_is_left_in_peace_meanwhile() -> None:
    roster = a_roster(shift(0, 9))
    assert reported(roster, NOW + model.ENTERING - timedelta(seconds=1)) == []
    model.add(roster, [shift(9, 160)], NOW + model.ENTERING / 2, ZONE)
    assert reported(roster, NOW + 2 * model.ENTERING) == []
    assert reported(a_roster(shift(0, 9)), NOW + model.ENTERING) == [(9, None)]


def test_a_roster_that_is_never_filled_is_reported_and_so_is_the_time_before_its_first_shift() -> None:
    empty, later = a_roster(), a_roster(shift(20, 160))
    assert reported(empty, NOW + model.ENTERING - timedelta(seconds=1)) == []
    assert reported(empty, NOW + model.ENTERING) == [(0, None)]
    assert reported(later, NOW + model.ENTERING) == [(0, 20)]
    model.add(empty, [shift(30, 40)], NOW + HOUR, ZONE)
    assert reported(empty, NOW + 2 * HOUR) == [(40, None)]


def test_a_shift_that_is_taken_out_leaves_a_gap_that_is_reported() -> None:
    roster = a_roster(shift(0, 12), shift(12, 24, "wang"), shift(24, 160))
    model.remove(roster, [shift(12, 24, "wang").id], NOW)
    assert reported(roster, NOW + HOUR) == [(12, 24)]
    with pytest.raises(model.ShiftUnknown):
        model.remove(roster, ["shift_nowhere"], NOW)


def test_a_shift_that_is_taken_out_while_it_is_on_leaves_a_gap_from_then_on_and_one_that_is_over_leaves_none() -> None:
    roster = a_roster(shift(0, 12), shift(12, 160, "wang"))
    model.remove(roster, [shift(0, 12).id], NOW + 5 * HOUR)
    assert reported(roster, NOW + 6 * HOUR) == [(5, 12)]
    over = a_roster(shift(0, 12), shift(12, 160, "wang"))
    model.remove(over, [shift(0, 12).id], NOW + 13 * HOUR)
    assert reported(over, NOW + 14 * HOUR) == []


def test_a_night_over_midnight_and_over_the_end_of_a_month_has_no_gap() -> None:
    """30 November, 20:00 to 08:00 on 1 December, by the clock on the wall."""
    evening, morning = wall_time("2026-11-30T20:00"), wall_time("2026-12-01 08:00")
    start, end = model.instant(evening, ZONE), model.instant(morning, ZONE)
    night = Shift(id="shift_n", account_id="account_li", person_id="person_li", start=start, end=end)
    roster = a_roster(night)
    assert (night.start, night.end) == (datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert roster.on_call(datetime(2026, 11, 30, 16, 30, tzinfo=UTC)) == [night]
    assert roster.on_call(end) == [], "the end is outside"
    assert gaps(roster.shifts, start, end) == []
    assert model.instant(start.astimezone(UTC), ZONE) == start


def test_there_is_one_first_and_one_backup_at_a_time_and_they_are_two_people() -> None:
    roster = a_roster(shift(0, 12), shift(0, 12, "wang", backup=True))
    assert [one.person_id for one in roster.on_call(NOW)] == ["person_li", "person_wang"]
    assert refused(roster, shift(11, 20, "zhao")) == "shifts-overlap"
    assert refused(a_roster(shift(0, 12)), shift(4, 5, "zhao")) == "shifts-overlap"
    assert refused(a_roster(shift(0, 12)), shift(12, 13), shift(12, 14)) == "shifts-overlap"
    assert refused(a_roster(shift(0, 12)), shift(11, 20, "li", backup=True)) == "on-call-twice"
    model.add(a_roster(shift(0, 12)), [shift(12, 20), shift(12, 20, "wang", backup=True)], NOW, ZONE)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (shift(5, 5), "shift-unfit"),
        (shift(5, 4), "shift-unfit"),
        (shift(0, 7 * 24 + 1), "shift-unfit"),
        (shift(400 * 24, 400 * 24 + 1), "shift-unfit"),
        (shift(-9, 0), "shift-over"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused(wrong: Shift, code: str) -> None:
    assert refused(a_roster(), wrong) == code
    model.add(a_roster(), [shift(-9, 0.1)], NOW, ZONE)


def test_a_roster_is_bounded_and_what_is_over_for_a_week_drops_out_without_a_gap() -> None:
    roster = a_roster(*(shift(hour, hour + 1) for hour in range(400)))
    assert refused(roster, shift(400, 401)) == "roster-full"
    roster = a_roster(*(shift(hour, hour + 1) for hour in range(400)))
    later = NOW + 10 * DAY
    model.add(roster, [shift(400, 500)], later, ZONE)
    assert min(one.end for one in roster.shifts) == later - 7 * DAY + HOUR
    assert reported(roster, NOW + 452 * HOUR) == [(500, None)]


def test_a_gap_that_goes_on_is_not_reported_again_when_a_month_later_somebody_enters_a_shift() -> None:
    roster = a_roster(shift(0, 10))
    assert reported(roster, NOW + HOUR) == [(10, None)]
    model.add(roster, [shift(800, 900)], NOW + 790 * HOUR, ZONE)
    assert reported(roster, NOW + 800 * HOUR) == []
    assert reported(roster, NOW + 900 * HOUR) == [(900, None)]


def test_on_call_is_who_can_take_a_case_on_in_that_place() -> None:
    def works(role: str, place: str, *organisations: str) -> bool:
        return model.works_there(Actor("account_x", frozenset({role}), (place,), organisations), STREET)

    assert [works("dispatcher", place) for place in (STREET, COUNTY, CITY)] == [True, True, True]
    assert works("supervisor", COUNTY)
    assert works("handler", STREET, "organisation_1")
    assert not works("handler", STREET, "team_1"), "volunteers see only what their team has"
    assert [works("dispatcher", place) for place in (COMMUNITY, FAR_STREET)] == [False, False]
    assert [works(role, STREET) for role in ("operator", "administrator", "resident", SYSTEM)] == [False] * 4


def test_a_roster_is_seen_by_those_who_work_there() -> None:
    assert Roster.visible(Actor("account_x", frozenset({"resident"}), (STREET,))).filter() == {"_id": {"$in": []}}
    assert Roster.visible(Actor("account_x", frozenset({"dispatcher"}), (STREET,))).filter() == {"under": STREET}
