"""The codes of one phone: the valid code, how often one was requested, and how often a wrong one was given."""

import hmac
import math
from datetime import datetime, timedelta
from typing import ClassVar, NoReturn, assert_never

from pydantic import Field

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Instant
from services.contracts.members.accounts import SignInCodeIssued

LIFE = timedelta(minutes=5)
PAUSE = timedelta(seconds=60)
DAY = timedelta(days=1)
MOST_CODES = ((PAUSE, 1), (timedelta(hours=1), 5), (DAY, 20))
"""How many codes one phone gets within each of these spans."""

MOST_WRONG = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=4)


class WrongCodeGiven(Event):
    """A wrong code was given, or a wrong answer with the right one; from the fifth on the phone is locked."""

    private: ClassVar[bool] = True

    named: bool = False
    """Whether the wrong answer was a name."""

    locked_until: Instant | None = None


class CodeAccepted(Event):
    """The right code was given; it is used up."""

    private: ClassVar[bool] = True


PhoneCodeEvent = SignInCodeIssued | WrongCodeGiven | CodeAccepted


class CodeWrong(Refusal):
    kind = Kind.UNAUTHENTICATED


class PhoneSilent(Refusal):
    kind = Kind.STATE


class PhoneInUse(Refusal):
    kind = Kind.STATE


class HolderUnproven(Refusal):
    kind = Kind.UNAUTHENTICATED


class TooManyCodes(Refusal):
    kind = Kind.TOO_MANY


class TooManyWrongCodes(Refusal):
    kind = Kind.TOO_MANY


class PhoneCode(Entity[PhoneCodeEvent]):
    """The codes of one phone. The code is nowhere in clear; only its keyed hash is kept."""

    entity_type: ClassVar[str] = "phonecode"

    person_id: str | None = None
    issued: list[Instant] = Field([])
    code_hash: str | None = None
    expires_at: Instant | None = None
    wrong: int = 0
    wrong_names: int = 0
    locked_until: Instant | None = None

    def apply(self, event: PhoneCodeEvent) -> None:
        """Fold an event into the state."""
        match event:
            case SignInCodeIssued():
                at = event.expires_at - LIFE
                self.person_id, self.code_hash, self.expires_at = event.person_id, event.code_hash, event.expires_at
                self.issued = [*_within(DAY, self.issued, at), at]
            case WrongCodeGiven():
                self.wrong, self.locked_until = self.wrong + 1, event.locked_until
                self.wrong_names += event.named
            case CodeAccepted():
                self.code_hash, self.wrong, self.wrong_names = None, 0, 0
            case _:
                assert_never(event)

    def subjects(self) -> tuple[str, ...]:
        """The owner of the phone."""
        return (self.person_id,) if self.person_id else ()


def expect_issuable(code: PhoneCode, now: datetime) -> None:
    """TooManyCodes beyond the limits of a minute, an hour and a day; TooManyWrongCodes while locked."""
    _expect_unlocked(code, now)
    recent = [(span, most, _within(span, code.issued, now)) for span, most in MOST_CODES]
    again_at = [issued[-most] + span for span, most, issued in recent if len(issued) >= most]
    if again_at:
        raise TooManyCodes(retry_after=_seconds(max(again_at) - now))


def issue(code: PhoneCode, issued: SignInCodeIssued, now: datetime) -> None:
    """Issue a code. Refuses like ``expect_issuable``."""
    expect_issuable(code, now)
    code.record(issued)


def weigh(code: PhoneCode, code_hash: str, now: datetime) -> None:
    """Check a code: CodeWrong, which is counted, or TooManyWrongCodes while locked."""
    _expect_unlocked(code, now)
    if code.code_hash is None or code.expires_at is None or now >= code.expires_at:
        raise CodeWrong
    if not hmac.compare_digest(code.code_hash, code_hash):
        refuse(code, CodeWrong(), now)


def refuse(code: PhoneCode, refusal: Refusal, now: datetime, *, named: bool = False) -> NoReturn:
    """Count a wrong code, or a wrong answer that goes with the right one, such as a name, and refuse."""
    lock = lock_after(code.wrong + 1)
    code.refuse(WrongCodeGiven(locked_until=lock and now + lock, named=named), refusal)


def accept(code: PhoneCode, code_hash: str, now: datetime) -> None:
    """Use up a code; refuses like ``weigh``."""
    weigh(code, code_hash, now)
    code.record(CodeAccepted())


def lock_after(wrong: int) -> timedelta | None:
    """How long a phone is locked: not for four wrong codes since the last right one, then 15 min, up to 4 h.

    A new code does not reset the count, so an attacker has 14 tries on the first day and six on each following day.
    """
    return None if wrong < MOST_WRONG else growing(FIRST_LOCK, wrong - MOST_WRONG, LONGEST_LOCK)


def growing(first: timedelta, times: int, longest: timedelta) -> timedelta:
    """``first``, doubled this many times, at most ``longest``."""
    return min(first * (1 << min(times, 10)), longest)


def _expect_unlocked(code: PhoneCode, now: datetime) -> None:
    if code.locked_until is not None and now < code.locked_until:
        raise TooManyWrongCodes(retry_after=_seconds(code.locked_until - now))


def _within(span: timedelta, issued: list[datetime], now: datetime) -> list[datetime]:
    return [at for at in issued if at > now - span]


def _seconds(span: timedelta) -> int:
    return math.ceil(span.total_seconds())
