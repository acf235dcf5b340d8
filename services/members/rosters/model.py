"""A duty roster: its shifts, what may be entered, and when nobody is on call."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Instant
from services.chassis.domain.words import Words
from services.contracts.members.areas import Located, path
from services.contracts.members.roles import Role, staffed
from services.contracts.members.rosters import (
    KEPT,
    ROSTER,
    RosterEvent,
    RosterGapFound,
    RosterStarted,
    RosterState,
    Shift,
    ShiftsAdded,
    ShiftsRemoved,
    in_order,
)

ON_CALL = (Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR)
"""Who can be on call: who takes a case on, or gives it to somebody."""
READERS = (Role.OPERATOR, *ON_CALL, Role.ADMINISTRATOR)
MOST_SHIFTS = 400
LONGEST = timedelta(days=7)
FURTHEST = timedelta(days=400)
"""How far ahead a shift may end."""
ALERTED = timedelta(hours=48)
"""How long before it begins a gap is reported."""
ENTERING = timedelta(minutes=10)
"""How long after a change nothing is reported: somebody may enter one shift after the other."""


class ShiftUnfit(Refusal):
    kind = Kind.INVALID


class ShiftOver(Refusal):
    kind = Kind.INVALID


class ShiftsOverlap(Refusal):
    kind = Kind.STATE


class OnCallTwice(Refusal):
    kind = Kind.STATE


class RosterFull(Refusal):
    kind = Kind.STATE


class NotStaffThere(Refusal):
    kind = Kind.INVALID


class ShiftUnknown(Refusal):
    kind = Kind.STATE


class Gap(NamedTuple):
    """From ``start`` on nobody is on call: until ``end``, or for good."""

    start: datetime
    end: datetime | None


class Roster(Located, RosterState, Entity[RosterEvent]):
    """Who is on call for one service system in one place."""

    entity_type: ClassVar[str] = ROSTER
    indexes: ClassVar[tuple[Index, ...]] = (Index(("alert_at",), sparse=True),)

    reported_until: Instant | None = None
    """Whatever begins before it is covered by a shift or was reported; None: for good, until a shift is added."""
    alert_at: Instant | None = None
    """When the next gap is to be reported."""
    changed_at: Instant
    """When it was started, or shifts were added or removed last."""

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Visible to those who work for the city in its place, or in one around it."""
        return ALL if actor.has(SYSTEM) else Visible().where("under", *staffed(actor, *READERS))

    def apply(self, event: RosterEvent) -> None:
        """Fold an event into the state."""
        before = [] if isinstance(event, RosterStarted) else self.shifts
        RosterState.apply(self, event)
        match event:
            case RosterStarted():
                self.reported_until = self.changed_at = event.started_at
            case ShiftsAdded():
                self.changed_at = event.added_at
                self._end_the_open_gap(event, before)
            case ShiftsRemoved():
                self.changed_at = event.removed_at
                self._open_again(event, before)
            case RosterGapFound():
                self.reported_until = event.end
            case _:
                assert_never(event)
        gap = next_gap(self)
        self.alert_at = None if gap is None else max(gap.start - ALERTED, self.changed_at + ENTERING)

    def _end_the_open_gap(self, event: ShiftsAdded, before: Iterable[Shift]) -> None:
        """A gap that was reported for good ends where a shift is entered; what comes after that is not reported yet."""
        last = max((shift.end for shift in before), default=None)
        starts = [shift.start for shift in event.shifts if last is None or shift.end > last]
        if self.reported_until is not None:  # what dropped out was no gap
            self.reported_until = max(self.reported_until, event.added_at - KEPT)
        elif starts:
            self.reported_until = min(starts)

    def _open_again(self, event: ShiftsRemoved, before: Sequence[Shift]) -> None:
        """What only the removed shifts covered is reported, also where it had been before they were entered."""
        removed = (shift for shift in before if shift.id in event.shift_ids)
        starts = [
            gap.start
            for shift in removed
            for gap in gaps(self.shifts, max(shift.start, event.removed_at), shift.end)[:1]
        ]
        if self.reported_until is not None:  # what has passed with somebody on call stays no gap
            passed = min(gaps(before, self.reported_until)[0].start, event.removed_at)
            self.reported_until = max(self.reported_until, passed)
        if starts:
            self.reported_until = min(self.reported_until or starts[0], *starts)


def gaps(shifts: Iterable[Shift], start: datetime, end: datetime | None = None) -> list[Gap]:
    """All that no shift covers from ``start`` to ``end``; without an end, the last gap has none."""
    found, covered = [], start
    for shift in in_order(shifts):
        if end is not None and shift.start >= end:
            break
        if shift.start > covered:
            found.append(Gap(covered, shift.start))
        covered = max(covered, shift.end)
    if end is None or covered < end:
        found.append(Gap(covered, end))
    return found


def next_gap(roster: Roster) -> Gap | None:
    """The first gap that was not reported yet; None where the last was reported."""
    return None if roster.reported_until is None else gaps(roster.shifts, roster.reported_until)[0]


def report_gaps(roster: Roster, place: Words, now: datetime) -> None:
    """Report each gap that is near, with the name of the place: once."""
    while roster.alert_at is not None and roster.alert_at <= now and (gap := next_gap(roster)):
        roster.record(
            RosterGapFound(area=roster.area, area_name=place, system=roster.system, start=gap.start, end=gap.end)
        )


def instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a time that somebody entered: without a zone it is the city's time."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def add(roster: Roster, shifts: Sequence[Shift], now: datetime, zone: ZoneInfo) -> None:
    """Add shifts; what is wrong is said in the city's time.

    ShiftUnfit, ShiftOver, ShiftsOverlap, OnCallTwice, RosterFull.
    """
    for shift in shifts:
        _expect_sensible(shift, now)
    entered = ShiftsAdded(shifts=[*shifts], added_at=now)
    roster.record(entered)
    if len(roster.shifts) > MOST_SHIFTS:
        raise RosterFull(most=MOST_SHIFTS)
    _expect_one_at_a_time(roster.shifts, zone)


def remove(roster: Roster, shift_ids: Iterable[str], now: datetime) -> None:
    """Remove shifts; ShiftUnknown where one of them is not there."""
    known = {shift.id for shift in roster.shifts}
    for id in shift_ids:
        if id not in known:
            raise ShiftUnknown
    roster.record(ShiftsRemoved(shift_ids=[*shift_ids], removed_at=now))


def ahead(roster: Roster, now: datetime) -> list[Shift]:
    """The shifts that are not over."""
    return [shift for shift in roster.shifts if shift.end > now]


def works_there(actor: Actor, area: str) -> bool:
    """Whether somebody can be on call in a place: works there or around it, and can take a case on."""
    return not {*staffed(actor, *ON_CALL)}.isdisjoint(path(area)) if actor.has(*ON_CALL) else False


def _expect_sensible(shift: Shift, now: datetime) -> None:
    if not timedelta(0) < shift.end - shift.start <= LONGEST or shift.end > now + FURTHEST:
        raise ShiftUnfit(days=LONGEST.days, ahead=FURTHEST.days)
    if shift.end <= now:
        raise ShiftOver


def _said(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="minutes")


def _expect_one_at_a_time(shifts: Iterable[Shift], zone: ZoneInfo) -> None:
    """One first and one backup at each instant, and they are two people."""
    ordered = in_order(shifts)
    for backup in (False, True):
        for earlier, later in pairwise(shift for shift in ordered if shift.backup == backup):
            if later.start < earlier.end:
                raise ShiftsOverlap(at=_said(later.start, zone))
    by_person: dict[str, datetime] = {}
    for shift in ordered:
        if by_person.get(shift.person_id, shift.start) > shift.start:
            raise OnCallTwice(at=_said(shift.start, zone))
        by_person[shift.person_id] = max(shift.end, by_person.get(shift.person_id, shift.end))
