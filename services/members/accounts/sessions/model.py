"""A session, from sign-in to sign-out, and its refresh tokens."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple, Self, assert_never

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, LONGEST_TOKEN, SYSTEM, Actor, Visible
from services.chassis.domain.values import EVER, Digest, Id, Instant, Sealed
from services.contracts.members.accounts import NewDeviceUsed, SessionEnd, SessionEnded
from services.members.accounts.devices.model import Device


class SignInMethod(StrEnum):
    """How somebody signed in."""

    PHONE = "phone"
    STAFF = "staff"


LIVES = {
    SignInMethod.PHONE: (timedelta(days=30), timedelta(days=180)),
    SignInMethod.STAFF: (timedelta(hours=2), timedelta(hours=12)),
}
"""(idle, longest): a session ends if it was not refreshed for this long, and at this age."""

REPEATS = timedelta(seconds=30)
"""For this long a spent refresh token gives the same successor again: its answer was lost, or two pages sent it."""


class SessionStarted(Event):
    """Somebody signed in, with a device of which only they read the name."""

    private: ClassVar[bool] = True

    account_id: Id
    person_id: Id
    method: SignInMethod | str
    device: Sealed
    device_index: Digest
    started_at: Instant
    idle_until: Instant
    ends_at: Instant


class SessionRefreshed(Event):
    """A session got its next refresh token, of this generation; the one before is spent."""

    private: ClassVar[bool] = True

    generation: int
    refreshed_at: Instant
    idle_until: Instant


SessionEvent = SessionStarted | SessionRefreshed | SessionEnded | NewDeviceUsed


class SessionOver(Refusal):
    kind = Kind.UNAUTHENTICATED


class Session(Entity[SessionEvent]):
    """One session of an account. Its refresh tokens are derived from its id and their generation: none is stored."""

    entity_type: ClassVar[str] = "session"
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(("account_id", "device_index")),
        Index(("tokens_until", "id"), above=EVER),
    )

    account_id: Id
    person_id: Id
    method: SignInMethod | str
    device: Sealed
    device_index: Digest
    generation: int = 0
    started_at: Instant
    refreshed_at: Instant
    idle_until: Instant
    ends_at: Instant
    open: bool = True
    ended: SessionEnd | str | None = None
    tokens_until: Instant | None = None
    """Once it has ended: no token of it can be good after this, so it need not be refused for longer."""

    def apply(self, event: SessionEvent) -> None:
        """Fold an event into the state."""
        match event:
            case SessionStarted():
                self.account_id, self.person_id, self.method = event.account_id, event.person_id, event.method
                self.device, self.device_index = event.device, event.device_index
                self.started_at = self.refreshed_at = event.started_at
                self.idle_until, self.ends_at = event.idle_until, event.ends_at
            case SessionRefreshed():
                self.generation, self.refreshed_at = event.generation, event.refreshed_at
                self.idle_until = event.idle_until
            case SessionEnded():
                self.open, self.tokens_until, self.ended = False, event.tokens_until, event.reason
            case NewDeviceUsed():
                pass
            case _:
                assert_never(event)

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Whose it is."""
        return ALL if actor.has(SYSTEM) else Visible().where(cls.stored_name("account_id"), actor.id)

    def subjects(self) -> tuple[str, ...]:
        """The person whose device it names."""
        return (self.person_id,)

    @property
    def stolen_at(self) -> datetime | None:
        """When its token was found to be in two hands."""
        if self.ended != SessionEnd.SPENT_TOKEN or self.tokens_until is None:
            return None
        return self.tokens_until - LONGEST_TOKEN


class RefreshToken(NamedTuple):
    """A refresh token as a client holds it: ``session.generation.secret``."""

    session: str
    generation: int
    secret: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From what a client sent; SessionOver where it is no refresh token."""
        session, _, rest = text.partition(".")
        generation, _, secret = rest.partition(".")
        if not (session and secret and generation.isascii() and generation.isdigit() and len(generation) < 10):
            raise SessionOver
        return cls(session, int(generation), secret)

    def __str__(self) -> str:
        return f"{self.session}.{self.generation}.{self.secret}"


def start(
    session: Session, account_id: str, person_id: str, method: SignInMethod, device: Device, now: datetime
) -> None:
    """Start a session."""
    idle, longest = LIVES[method]
    session.record(
        SessionStarted(
            account_id=account_id,
            person_id=person_id,
            method=method,
            device=device.name,
            device_index=device.blind,
            started_at=now,
            idle_until=now + idle,
            ends_at=now + longest,
        )
    )


def note_new_device(session: Session) -> None:
    """Note that no session of theirs had such a device before."""
    session.record(NewDeviceUsed(person_id=session.person_id))


def rotate(session: Session, generation: int, now: datetime) -> None:
    """Go on to the next refresh token, where ``generation`` is that of the genuine one that came.

    The one before gives the same successor again for thirty seconds, unless that was used meanwhile: its answer was
    lost, or two pages of one browser sent it at once. Any other spent one is in two hands, and the session ends for
    both (RFC 9700, 4.14.2). SessionOver if it has ended, and for one that is ahead: the database was set back.
    """
    if not session.open or now >= session.idle_until or generation > session.generation:
        raise SessionOver
    if generation == session.generation - 1 and now < session.refreshed_at + REPEATS:
        return
    if generation != session.generation:
        session.refuse(_ended(session, SessionEnd.SPENT_TOKEN, now), SessionOver())
    idle, _ = LIVES[SignInMethod(session.method)]
    until = min(now + idle, session.ends_at)
    session.record(SessionRefreshed(generation=generation + 1, refreshed_at=now, idle_until=until))


def end(session: Session, because: SessionEnd, now: datetime) -> None:
    """End a session; a repeat changes nothing."""
    if session.open:
        session.record(_ended(session, because, now))


def end_with_account(session: Session, now: datetime) -> None:
    """End the session of a closed account, and refuse: SessionOver."""
    if session.open:
        session.refuse(_ended(session, SessionEnd.ACCOUNT_CLOSED, now), SessionOver())


def _ended(session: Session, because: SessionEnd, now: datetime) -> SessionEnded:
    return SessionEnded(person_id=session.person_id, reason=because, tokens_until=now + LONGEST_TOKEN)
