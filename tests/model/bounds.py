"""The bounds within which the models are explored, and for each guard taken away the smallest that show the breach."""

from dataclasses import dataclass
from typing import Any

from tests.model.catching_up import CatchingUp
from tests.model.consuming import Consuming
from tests.model.explore import Model
from tests.model.group import Reaction
from tests.model.holding import Holding
from tests.model.publishing import Publishing
from tests.model.waiting import Waiting
from tests.model.weaknesses import Weak

X, Y = 0, 1
X1, X2, Y1 = (X, 1), (X, 2), (Y, 1)


@dataclass(frozen=True, slots=True)
class Right:
    """The protocol as it should be; ``at_least``: states, so that a model that has lost its steps is noticed."""

    name: str
    model: Model[Any]
    at_least: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """The protocol without one guard, and the promise that this breaks."""

    without: Weak
    breaks: str
    model: Model[Any]


def right() -> list[Right]:
    """Every model, with the guards on."""
    return [
        Right("publishing: two writes to x, one to y, two faults", Publishing((X, X, Y), faults=2), 60_000),
        Right("publishing: three writes to x, one fault", Publishing((X, X, X)), 8_000),
        Right("publishing: two writers of x, one fault", Publishing((X, X), writers=2), 8_000),
        *(
            Right(f"consuming ({kind.name.lower()}): {what}", Consuming(log, kind, faults=f, failures=n), floor)
            for kind in Reaction
            for what, log, f, n, floor in _READ
        ),
        Right("catching up: two events more, one fault", CatchingUp(3), 20_000),
        Right("catching up: one event more, two faults", CatchingUp(2, faults=2), 20_000),
        Right("catching up: it was on and fails, two events more", CatchingUp(3, failures=1), 20_000),
        Right("catching up: it was on and fails twice, no fault", CatchingUp(3, faults=0, failures=2), 1_000),
        Right("waiting: the copy fails, two events more, one fault", Waiting(3), 12_000),
        Right("waiting: the copy fails, one event more, two faults", Waiting(2, faults=2), 15_000),
        Right("waiting: the copy fails twice, two events more, one fault", Waiting(3, failures=2), 28_000),
        Right("holding: three changes, four requests, two faults", Holding(3, requests=4, faults=2), 6_000),
    ]


_READ = (
    ("x1 y1 x2, one fault, one failure", (X1, Y1, X2), 1, 1, 40_000),
    ("x1 x2, two faults", (X1, X2), 2, 0, 9_000),
    ("x1 x2 x1, no fault, two failures", (X1, X2, X1), 0, 2, 200),
)


def wrong() -> list[Wrong]:
    """Every guard taken away, each alone."""
    effects, use_case = Reaction.EFFECTS, Reaction.USE_CASE
    return [
        *(Wrong(weak, promise, Publishing(to, writers=n, without=weak)) for weak, promise, to, n in _PUBLISHING),
        Wrong(Weak.NO_CAUSE, "G8", Consuming((X1,), use_case, failures=0, without=Weak.NO_CAUSE)),
        Wrong(Weak.NO_ID_FROM_CAUSE, "G8", Consuming((X1,), effects, failures=0, without=Weak.NO_ID_FROM_CAUSE)),
        Wrong(Weak.NO_ARCHIVE_LOOKUP, "G8", Consuming((X1, X2), use_case, without=Weak.NO_ARCHIVE_LOOKUP)),
        Wrong(Weak.COMMIT_FIRST, "G9", Consuming((X1,), effects, failures=0, without=Weak.COMMIT_FIRST)),
        Wrong(Weak.SEEN_FIRST, "G9", Consuming((X1,), effects, failures=0, without=Weak.SEEN_FIRST)),
        Wrong(Weak.NO_FOLLOWERS, "G8", Consuming((X1, X2), effects, faults=0, without=Weak.NO_FOLLOWERS)),
        Wrong(Weak.UNPARK_FIRST, "G9", Consuming((X1,), effects, without=Weak.UNPARK_FIRST)),
        Wrong(Weak.UNGUARDED_COPY, "G8", Consuming((X1, X2), Reaction.COPY, without=Weak.UNGUARDED_COPY)),
        Wrong(Weak.PARK_BEFORE_DONE, "G8", Consuming((X1, X2), effects, without=Weak.PARK_BEFORE_DONE)),
        *(Wrong(weak, promise, CatchingUp(n, faults=f, without=weak)) for weak, promise, n, f in _CATCHING_UP),
        *(Wrong(weak, "G9", CatchingUp(2, failures=1, without=weak)) for weak in _TURNING_OFF),
        Wrong(Weak.KEEP_SWITCHES, "G8", CatchingUp(3, failures=1, without=Weak.KEEP_SWITCHES)),
        *(Wrong(weak, promise, Waiting(2, without=weak)) for weak, promise in _WAITING),
        *(Wrong(weak, promise, Holding(without=weak)) for weak, promise in _HOLDING),
    ]


_PUBLISHING = (
    (Weak.MARK_FIRST, "G5", (X,), 1),
    (Weak.UNGUARDED_MARK, "G5", (X, X), 1),
    (Weak.GO_ON, "G6", (X, X), 1),
    (Weak.TRIM_UNPUBLISHED, "G5", (X, X, X), 1),
    (Weak.PULL_FIRST, "G7", (X, X), 1),
    (Weak.READ_LOCAL, "G7", (X,), 1),
    (Weak.NO_CAUSE, "G3", (X,), 1),
    (Weak.NO_ARCHIVE_LOOKUP, "G3", (X, X), 2),
)
_TURNING_OFF = (Weak.OFF_FIRST, Weak.CONFIRM_FAILED, Weak.POSITION_READ)
_WAITING = (
    (Weak.READER_STAYS_ON, "copies"),
    (Weak.READER_WAITS_LATE, "copies"),
    (Weak.READER_NOTED_LATE, "G9"),
    (Weak.READER_FIRST, "copies"),
    (Weak.COPY_ON_ALONE, "G9"),
)
_HOLDING = (
    (Weak.KEEP_HEARD, "G11: what is held counts after"),
    (Weak.NO_HEARTBEAT, "G11: what is held counts for more than a second"),
    (Weak.KEEP_ON_REOPEN, "G11: what is held counts after"),
    (Weak.HOLD_OVERTAKEN, "G11: what is held counts after"),
    (Weak.UNCONFIRMED, "G11: a request is refused"),
    (Weak.STAFF_READS_HELD, "G11: staff"),
)
_CATCHING_UP = (
    (Weak.NO_PAUSE, "G9", 2, 1),
    (Weak.NO_WAIT, "G9", 2, 1),
    (Weak.WAIT_FOR_OWNER, "G9", 2, 2),
    (Weak.FORGET_THE_FROZEN, "G9", 2, 2),
    (Weak.KEEP_POSITION, "G8", 3, 1),
    (Weak.SWITCHES_FIRST, "G9", 2, 1),
    (Weak.STARTS_ON, "G8", 2, 1),
)
