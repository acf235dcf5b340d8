"""A session, which lives from sign-in to sign-out, and the guard who counts wrong passwords."""

import hashlib
import hmac
import math
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, assert_never

import pyotp

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, SYSTEM, Actor, Visible
from services.chassis.domain.values import Digest, Id, Instant
from services.members.accounts.codes.model import growing


class Entrance(StrEnum):
    """How somebody came in."""

    PHONE = "phone"
    STAFF = "staff"


LIVES = {
    Entrance.PHONE: (timedelta(days=30), timedelta(days=180)),
    Entrance.STAFF: (timedelta(hours=2), timedelta(hours=12)),
}
"""(idle, longest): a session ends when it was not refreshed for so long, and when it is so old."""

FREE_FAILURES = 4
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
QUIET = timedelta(hours=1)
"""After so long without a failure those before are forgotten: anybody can fail at anybody's login."""

STEP_SECONDS = 30


class SessionStarted(Event):
    """Somebody signed in."""

    private: ClassVar[bool] = True

    account_id: Id
    entrance: Entrance | str
    mark: Digest
    idle_until: Instant
    ends_at: Instant


class SessionRefreshed(Event):
    """A session got new tokens; its refresh token before is spent."""

    private: ClassVar[bool] = True

    mark: Digest
    idle_until: Instant


class SessionEnd(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    SPENT_TOKEN = "spent_token"  # noqa: S105 - no secret
    ACCOUNT_CLOSED = "account_closed"


class SessionEnded(Event):
    """A session is over: signed out, a spent refresh token was given again, or the account was closed."""

    private: ClassVar[bool] = True

    reason: SessionEnd | str


class StaffSignedIn(Event):
    """Password and one-time code were right; codes up to this time step are spent."""

    private: ClassVar[bool] = True

    step: int


class StaffSignInFailed(Event):
    """Something was wrong with a sign-in; from the fifth on the login is locked, each time for longer."""

    private: ClassVar[bool] = True

    failures: int
    at: Instant
    locked_until: Instant | None = None


SessionEvent = SessionStarted | SessionRefreshed | SessionEnded
GuardEvent = StaffSignedIn | StaffSignInFailed


class SessionOver(Refusal):
    kind = Kind.UNAUTHENTICATED


class SignInWrong(Refusal):
    kind = Kind.UNAUTHENTICATED


class TooManyAttempts(Refusal):
    kind = Kind.TOO_MANY


class Session(Entity[SessionEvent]):
    """One stay of an account; of its refresh token only a hash is kept."""

    entity_type: ClassVar[str] = "session"

    account_id: Id
    entrance: Entrance | str
    mark: Digest
    idle_until: Instant
    ends_at: Instant
    open: bool = True

    def apply(self, event: SessionEvent) -> None:
        """Take an event into the state."""
        match event:
            case SessionStarted():
                self.account_id, self.entrance, self.mark = event.account_id, event.entrance, event.mark
                self.idle_until, self.ends_at = event.idle_until, event.ends_at
            case SessionRefreshed():
                self.mark, self.idle_until = event.mark, event.idle_until
            case SessionEnded():
                self.open = False
            case _:
                assert_never(event)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Whose it is."""
        return ALL if actor.has(SYSTEM) else Visible().where("state.account_id", actor.id)


class Guard(Entity[GuardEvent]):
    """Stands before one login, whether there is such an account or not, so that a lock tells nothing about that."""

    entity_type: ClassVar[str] = "guard"

    failures: int = 0
    failed_at: Instant | None = None
    locked_until: Instant | None = None
    last_step: int = 0

    def apply(self, event: GuardEvent) -> None:
        """Take an event into the state."""
        match event:
            case StaffSignedIn():
                self.failures, self.failed_at, self.locked_until, self.last_step = 0, None, None, event.step
            case StaffSignInFailed():
                self.failures, self.failed_at, self.locked_until = event.failures, event.at, event.locked_until
            case _:
                assert_never(event)

    def failures_by(self, now: datetime) -> int:
        """How many failures in a row are remembered: none after a quiet hour."""
        return 0 if self.failed_at is None or now - self.failed_at >= QUIET else self.failures


def start(session: Session, account_id: str, entrance: Entrance, secret: str, now: datetime) -> None:
    """Begin a stay."""
    idle, longest = LIVES[entrance]
    session.record(
        SessionStarted(
            account_id=account_id,
            entrance=entrance,
            mark=digest(secret),
            idle_until=now + idle,
            ends_at=now + longest,
        )
    )


def rotate(session: Session, secrets: tuple[str, str], now: datetime) -> None:
    """Exchange the refresh token: ``secrets`` is (given, fresh).

    SessionOver where it is over. A token that is not the current one was spent before, so two have it: the session
    ends for both (RFC 9700, 4.14.2).
    """
    given, fresh = secrets
    if not session.open or now >= session.idle_until:
        raise SessionOver
    if not hmac.compare_digest(session.mark, digest(given)):
        session.refuse(SessionEnded(reason=SessionEnd.SPENT_TOKEN), SessionOver())
    idle, _ = LIVES[Entrance(session.entrance)]
    session.record(SessionRefreshed(mark=digest(fresh), idle_until=min(now + idle, session.ends_at)))


def end(session: Session) -> None:
    """End a stay; one that has ended stays ended."""
    if session.open:
        session.record(SessionEnded(reason=SessionEnd.SIGNED_OUT))


def expect_unlocked(guard: Guard, now: datetime) -> None:
    """TooManyAttempts while the login is locked."""
    if guard.locked_until is not None and now < guard.locked_until:
        raise TooManyAttempts(retry_after=math.ceil((guard.locked_until - now).total_seconds()))


def judge(guard: Guard, step: int | None, now: datetime) -> None:
    """Let in with the time step of a right one-time code; without one SignInWrong, which is counted."""
    if step is None:
        failures = guard.failures_by(now) + 1
        lock = lock_after(failures)
        guard.refuse(StaffSignInFailed(failures=failures, at=now, locked_until=lock and now + lock), SignInWrong())
    guard.record(StaffSignedIn(step=step))


def lock_after(failures: int) -> timedelta | None:
    """For how long a login is locked: none for four failures in a row, then one minute, doubling up to 15."""
    return None if failures <= FREE_FAILURES else growing(FIRST_LOCK, failures - FREE_FAILURES - 1, LONGEST_LOCK)


def step_of(otp: str, secret: str, last_step: int, now: datetime) -> int | None:
    """The time step of a one-time code (RFC 6238), at most one from now and later than the last that was used."""
    current, totp = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    fitting = [s for s in range(current - 1, current + 2) if hmac.compare_digest(totp.generate_otp(s), otp)]
    return next((step for step in fitting if step > last_step), None)


def digest(secret: str) -> str:
    """SHA-256 of a random secret: with 256 bits in it no slower hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
