"""The gaps of rosters: whatever is entered, no hour is missed, and none is reported twice without a cause."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import inf

from hypothesis import example, given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Refusal
from services.members.rosters import model
from services.members.rosters.model import Gap, Roster, gaps
from tests.members.rosters import HOUR, NOW, ZONE, a_roster, reported, shift

spans = st.lists(st.tuples(st.integers(0, 96), st.integers(1, 40)), max_size=12)
"""Starts and lengths, in hours: they overlap, touch and leave gaps."""


@given(spans, st.integers(0, 48), st.integers(1, 96))
def test_every_hour_is_covered_by_a_shift_or_lies_in_one_gap(
    given: list[tuple[int, int]], start: int, hours: int
) -> None:
    shifts = [shift(begin, begin + length) for begin, length in given]
    found = gaps(shifts, NOW + start * HOUR, NOW + (start + hours) * HOUR)
    for hour in range(start, start + hours):
        at = NOW + hour * HOUR + HOUR / 2
        covered = any(one.holds(at) for one in shifts)
        assert [gap.start <= at < gap.end for gap in found if gap.end].count(True) == (not covered)
    assert all(gap.end is not None and gap.start < gap.end for gap in found)
    assert all(earlier.end < later.start for earlier, later in pairwise(found) if earlier.end)


@given(spans)
def test_without_an_end_the_last_gap_is_open(given: list[tuple[int, int]]) -> None:
    shifts = [shift(begin, begin + length) for begin, length in given]
    last = max((one.end for one in shifts), default=NOW)
    assert gaps(shifts, NOW)[-1] == Gap(max(last, NOW), None)


@dataclass
class Watch:
    """A roster that is edited while time goes on; and for each hour since NOW, by which alerts it has been reported."""

    roster: Roster = field(default_factory=lambda: a_roster())
    hour: int = 0
    alerts: list[tuple[float, float]] = field(default_factory=list)
    """The hours that each named; one for good ends where somebody entered a shift."""
    seen: dict[int, int] = field(default_factory=dict)
    """For each hour that was covered, how many alerts there were then."""
    over: set[int] = field(default_factory=set)
    """The hours that passed with somebody on call."""

    @property
    def now(self) -> datetime:
        return NOW + self.hour * HOUR

    def add(self, start: int, length: int, person: str) -> None:
        """Enter a shift, where it is let in."""
        one = shift(self.hour + start, self.hour + start + length, person, backup=person == "backup")
        try:
            model.add(self.roster.model_copy(deep=True), [one], self.now, ZONE)
        except Refusal:
            return
        model.add(self.roster, [one], self.now, ZONE)
        begin, end = self.hour + start, self.hour + start + length
        self.alerts = [(a, min(z, max(a, begin)) if end > a and z == inf else z) for a, z in self.alerts]
        self.look()

    def remove(self, number: int) -> None:
        """Take a shift out, where there is one."""
        if self.roster.shifts:
            model.remove(self.roster, [self.roster.shifts[number % len(self.roster.shifts)].id], self.now)
        self.look()

    def wait(self, hours: int) -> None:
        """Let time go on."""
        self.hour += hours
        self.look()

    def look(self) -> None:
        """Let the timer run, and note who is on call."""
        found = reported(self.roster, self.now)
        self.alerts += [(start, inf if end is None else end) for start, end in found]
        for one in self.roster.shifts:
            begin, end = (round((at - NOW) / HOUR) for at in (one.start, one.end))
            self.seen |= dict.fromkeys(range(begin, end), len(self.alerts))
            self.over |= {*range(begin, min(end, self.hour))}

    def missed(self) -> list[int]:
        """The hours up to two days ahead that nobody covers, and that no alert named since somebody did."""
        covered = {hour for hour in self.seen if any(one.holds(NOW + hour * HOUR) for one in self.roster.shifts)}
        open_hours = {*range(self.hour + 48)} - covered - self.over
        return [
            hour
            for hour in sorted(open_hours)
            if not any(start <= hour < end for start, end in self.alerts[self.seen.get(hour, 0) :])
        ]


def edits(*steps: str) -> st.SearchStrategy[list[tuple[str, int, int, str]]]:
    """A list of such steps: which, where or how long, and of whom."""
    people = st.sampled_from(["li", "wang", "backup"])
    adding = st.tuples(st.just("add"), st.integers(-5, 250), st.integers(1, 168), people)
    others = [st.tuples(st.just(step), st.integers(0, 30), st.just(0), people) for step in steps]
    return st.lists(st.one_of(adding, *others), max_size=30)


def run(steps: list[tuple[str, int, int, str]]) -> Watch:
    watch = Watch()
    for step, number, length, person in steps:
        match step:
            case "add":
                watch.add(number, length, person)
            case "remove":
                watch.remove(number)
            case _:
                watch.wait(number)
    watch.wait(1)
    return watch


LEFT_OPEN = [
    ("add", 0, 10, "li"),
    ("add", 12, 12, "li"),
    ("add", 24, 136, "li"),
    ("wait", 1, 0, "li"),
    ("remove", 1, 0, "li"),
]
ENTERED_BACKWARDS = [("add", 240, 160, "li"), ("add", 24, 24, "li"), ("wait", 30, 0, "li")]


@given(edits("remove", "wait"))
@example(LEFT_OPEN)
@example(ENTERED_BACKWARDS)
def test_whatever_is_entered_nobody_is_missing_unreported(steps: list[tuple[str, int, int, str]]) -> None:
    assert run(steps).missed() == []


@given(edits("wait"))
@example([("add", 0, 10, "li"), ("wait", 1, 0, "li"), ("add", 4, 4, "backup")])
def test_as_long_as_nothing_is_taken_out_no_gap_is_reported_twice(steps: list[tuple[str, int, int, str]]) -> None:
    alerts = run(steps).alerts
    assert all(end <= start for (_, end), (start, _) in pairwise(alerts))
