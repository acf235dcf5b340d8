"""Rosters for the tests of their rules: shifts in hours after one evening, and what is reported."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from services.chassis.domain.words import Words
from services.contracts.members.rosters import RosterGapFound, RosterStarted, Shift
from services.members.rosters import model
from services.members.rosters.model import Roster
from tests.members.support import STREET

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
"""Saturday, 22:00 in the city."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def shift(start: float, end: float, person: str = "li", *, backup: bool = False) -> Shift:
    """On call from so many hours after NOW to so many."""
    id = f"shift_{start}_{end}_{person}"
    times = {"start": NOW + start * HOUR, "end": NOW + end * HOUR}
    return Shift(id=id, account_id=f"account_{person}", person_id=f"person_{person}", backup=backup, **times)


def a_roster(*shifts: Shift) -> Roster:
    roster = Roster.blank("roster_1")
    roster.record(RosterStarted(area=STREET, system="governance", started_at=NOW))
    if shifts:
        model.add(roster, shifts, NOW, ZONE)
    return roster


def reported(roster: Roster, now: datetime) -> list[tuple[float, float | None]]:
    """What is reported when the timer runs until this instant, in hours after NOW."""
    roster.fresh.clear()
    model.report_gaps(roster, Words.named("正阳街道"), now)
    assert roster.alert_at is None or roster.alert_at > now, "the timer has to move"
    found = [event for event in roster.fresh if isinstance(event, RosterGapFound)]
    return [((one.start - NOW) / HOUR, None if one.end is None else (one.end - NOW) / HOUR) for one in found]
