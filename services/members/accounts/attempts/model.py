"""The lock after failed attempts: when it begins, and how it grows."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.chassis.domain.refusals import Kind, Refusal

FREE_FAILURES = 4
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
QUIET = timedelta(hours=1)
"""After this long without a failure the count starts again, because anybody can fail at anybody's login."""
KEPT = 9
"""How many failures are kept: after more of them the lock is as long."""


class TooManyAttempts(Refusal):
    kind = Kind.TOO_MANY


def expect_unlocked(failed_at: Sequence[datetime], now: datetime) -> None:
    """TooManyAttempts while it is locked after failures at these times, oldest first."""
    lock = lock_after(len(failed_at))
    if lock is not None and now < failed_at[-1] + lock:
        raise TooManyAttempts(retry_after=math.ceil((failed_at[-1] + lock - now).total_seconds()))


def in_a_row(failed_at: Sequence[datetime], now: datetime) -> Sequence[datetime]:
    """The failures that count: none after a quiet hour, and the latest of many."""
    return failed_at[-KEPT:] if failed_at and now - failed_at[-1] < QUIET else ()


def lock_after(failures: int) -> timedelta | None:
    """How long it is locked: not for four failures in a row, then one minute, doubled up to 15."""
    return None if failures <= FREE_FAILURES else growing(FIRST_LOCK, failures - FREE_FAILURES - 1, LONGEST_LOCK)


def growing(first: timedelta, times: int, longest: timedelta) -> timedelta:
    """``first``, doubled this many times, at most ``longest``."""
    return min(first * (1 << min(times, 10)), longest)
