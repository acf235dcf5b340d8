"""A session, from sign-in to sign-out, and the count of failed sign-ins."""

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


class SignInMethod(StrEnum):
    """How somebody signed in."""

    PHONE = "phone"
    STAFF = "staff"


LIVES = {
    SignInMethod.PHONE: (timedelta(days=30), timedelta(days=180)),
    SignInMethod.STAFF: (timedelta(hours=2), timedelta(hours=12)),
}
"""(idle, longest): a session ends if it was not refreshed for this long, and at this age."""

FREE_FAILURES = 4
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
QUIET = timedelta(hours=1)
"""After this long without a failure the count starts again, because anybody can fail at anybody's login."""

STEP_SECONDS = 30


class SessionStarted(Event):
    """Somebody signed in."""

    private: ClassVar[bool] = True

    account_id: Id
    method: SignInMethod | str
    refresh_token_hash: Digest
    idle_until: Instant
    ends_at: Instant


class SessionRefreshed(Event):
    """A session got new tokens; its previous refresh token is spent."""

    private: ClassVar[bool] = True

    refresh_token_hash: Digest
    idle_until: Instant


class SessionEnd(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    SPENT_TOKEN = "spent_token"  # noqa: S105 - no secret
    ACCOUNT_CLOSED = "account_closed"


class SessionEnded(Event):
    """A session ended: sign-out, a spent refresh token was used again, or the account was closed."""

    private: ClassVar[bool] = True

    reason: SessionEnd | str


class StaffSignedIn(Event):
    """Password and one-time code were right; codes up to this time step are spent."""

    private: ClassVar[bool] = True

    step: int


class StaffSignInFailed(Event):
    """A sign-in failed; from the fifth failure on the login is locked, longer each time."""

    private: ClassVar[bool] = True

    failures: int
    at: Instant
    locked_until: Instant | None = None


SessionEvent = SessionStarted | SessionRefreshed | SessionEnded
SignInAttemptsEvent = StaffSignedIn | StaffSignInFailed


class SessionOver(Refusal):
    kind = Kind.UNAUTHENTICATED


class SignInWrong(Refusal):
    kind = Kind.UNAUTHENTICATED


class TooManyAttempts(Refusal):
    kind = Kind.TOO_MANY


class Session(Entity[SessionEvent]):
    """One session of an account; only a hash of its refresh token is stored."""

    entity_type: ClassVar[str] = "session"

    account_id: Id
    method: SignInMethod | str
    refresh_token_hash: Digest
    idle_until: Instant
    ends_at: Instant
    open: bool = True

    def apply(self, event: SessionEvent) -> None:
        """Fold an event into the state."""
        match event:
            case SessionStarted():
                self.account_id, self.method = event.account_id, event.method
                self.refresh_token_hash = event.refresh_token_hash
                self.idle_until, self.ends_at = event.idle_until, event.ends_at
            case SessionRefreshed():
                self.refresh_token_hash, self.idle_until = event.refresh_token_hash, event.idle_until
            case SessionEnded():
                self.open = False
            case _:
                assert_never(event)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Whose it is."""
        return ALL if actor.has(SYSTEM) else Visible().where(cls.stored_name("account_id"), actor.id)


class SignInAttempts(Entity[SignInAttemptsEvent]):
    """The failed sign-ins of one login, whether such an account exists or not: so a lock does not reveal that."""

    entity_type: ClassVar[str] = "signinattempt"

    failures: int = 0
    failed_at: Instant | None = None
    locked_until: Instant | None = None
    last_step: int = 0

    def apply(self, event: SignInAttemptsEvent) -> None:
        """Fold an event into the state."""
        match event:
            case StaffSignedIn():
                self.failures, self.failed_at, self.locked_until, self.last_step = 0, None, None, event.step
            case StaffSignInFailed():
                self.failures, self.failed_at, self.locked_until = event.failures, event.at, event.locked_until
            case _:
                assert_never(event)

    def failures_by(self, now: datetime) -> int:
        """How many failures in a row count: none after a quiet hour."""
        return 0 if self.failed_at is None or now - self.failed_at >= QUIET else self.failures


def start(session: Session, account_id: str, method: SignInMethod, secret: str, now: datetime) -> None:
    """Start a session."""
    idle, longest = LIVES[method]
    session.record(
        SessionStarted(
            account_id=account_id,
            method=method,
            refresh_token_hash=digest(secret),
            idle_until=now + idle,
            ends_at=now + longest,
        )
    )


def rotate(session: Session, secrets: tuple[str, str], now: datetime) -> None:
    """Exchange the refresh token: ``secrets`` is (given, fresh).

    SessionOver if it has ended. A token that is not the current one was used before, so two parties have it: the
    session ends for both (RFC 9700, 4.14.2).
    """
    given, fresh = secrets
    if not session.open or now >= session.idle_until:
        raise SessionOver
    if not hmac.compare_digest(session.refresh_token_hash, digest(given)):
        session.refuse(SessionEnded(reason=SessionEnd.SPENT_TOKEN), SessionOver())
    idle, _ = LIVES[SignInMethod(session.method)]
    session.record(SessionRefreshed(refresh_token_hash=digest(fresh), idle_until=min(now + idle, session.ends_at)))


def end(session: Session) -> None:
    """End a session; a repeat changes nothing."""
    if session.open:
        session.record(SessionEnded(reason=SessionEnd.SIGNED_OUT))


def expect_unlocked(attempts: SignInAttempts, now: datetime) -> None:
    """TooManyAttempts while the login is locked."""
    if attempts.locked_until is not None and now < attempts.locked_until:
        raise TooManyAttempts(retry_after=math.ceil((attempts.locked_until - now).total_seconds()))


def judge(attempts: SignInAttempts, step: int | None, now: datetime) -> None:
    """Accept the time step of a right one-time code; without one SignInWrong, which is counted."""
    if step is None:
        failures = attempts.failures_by(now) + 1
        lock = lock_after(failures)
        attempts.refuse(StaffSignInFailed(failures=failures, at=now, locked_until=lock and now + lock), SignInWrong())
    attempts.record(StaffSignedIn(step=step))


def lock_after(failures: int) -> timedelta | None:
    """How long a login is locked: not for four failures in a row, then one minute, doubled up to 15."""
    return None if failures <= FREE_FAILURES else growing(FIRST_LOCK, failures - FREE_FAILURES - 1, LONGEST_LOCK)


def step_of(otp: str, secret: str, last_step: int, now: datetime) -> int | None:
    """The time step of a one-time code (RFC 6238): at most one step away, and later than the last used one."""
    current, totp = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    fitting = [s for s in range(current - 1, current + 2) if hmac.compare_digest(totp.generate_otp(s), otp)]
    return next((step for step in fitting if step > last_step), None)


def digest(secret: str) -> str:
    """SHA-256 of a random secret: with 256 bits no slower hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
