"""The codes of one phone: the valid code, how often one was requested, and how often a wrong one was given."""

import hmac
import math
from datetime import datetime, timedelta
from typing import ClassVar, NoReturn, assert_never

from pydantic import BaseModel, Field

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Digest, Instant
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.attempts.model import growing

LIFE = timedelta(minutes=5)
PAUSE = timedelta(seconds=60)
DAY = timedelta(days=1)
MOST_CODES = ((PAUSE, 1), (timedelta(hours=1), 5), (DAY, 20))
"""How many codes one phone gets within each of these spans, for strangers, and for each known device."""

MOST_DEVICES = 10
"""Of how many known devices it is remembered what they did: the latest."""

MOST_WRONG = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=4)


class WrongCodeGiven(Event):
    """A wrong code was given, or a wrong answer with the right one; from the fifth on who gave it is locked."""

    private: ClassVar[bool] = True

    named: bool = False
    """Whether the wrong answer was a name."""

    locked_until: Instant | None = None
    device: Digest | None = None
    """The known device that gave it; none: a stranger."""


class CodeAccepted(Event):
    """The right code was given; it is used up."""

    private: ClassVar[bool] = True

    device: Digest | None = None


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


class Tries(BaseModel):
    """When codes were asked for, and how often a wrong one was given since the last right one."""

    issued: list[Instant] = Field([])
    wrong: int = 0
    locked_until: Instant | None = None


class PhoneCode(Entity[PhoneCodeEvent]):
    """The codes of one phone. The code is nowhere in clear; only its keyed hash is kept."""

    entity_type: ClassVar[str] = "phonecode"

    person_id: str | None = None
    code_hash: str | None = None
    expires_at: Instant | None = None
    wrong_names: int = 0
    strangers: Tries = Field(default_factory=Tries)
    devices: dict[str, Tries] = Field(default_factory=dict)
    """Those of each device of the phone's holder that is known: what strangers do never locks these."""

    def apply(self, event: PhoneCodeEvent) -> None:
        """Fold an event into the state."""
        tries = self.tries_of(event.device)
        match event:
            case SignInCodeIssued():
                at = event.expires_at - LIFE
                self.person_id, self.code_hash, self.expires_at = event.person_id, event.code_hash, event.expires_at
                tries = tries.model_copy(update={"issued": [*_within(DAY, tries.issued, at), at]})
            case WrongCodeGiven():
                tries = tries.model_copy(update={"wrong": tries.wrong + 1, "locked_until": event.locked_until})
                self.wrong_names += event.named
            case CodeAccepted():
                tries = tries.model_copy(update={"wrong": 0})
                self.code_hash, self.wrong_names = None, 0
            case _:
                assert_never(event)
        self._keep(event.device, tries)

    def subjects(self) -> tuple[str, ...]:
        """The owner of the phone."""
        return (self.person_id,) if self.person_id else ()

    def tries_of(self, device: str | None) -> Tries:
        """Those of a known device, or of all strangers together."""
        return self.strangers if device is None else self.devices.get(device, Tries())

    def _keep(self, device: str | None, tries: Tries) -> None:
        if device is None:
            self.strangers = tries
        else:  # the latest is the last
            others = [(one, its) for one, its in self.devices.items() if one != device]
            self.devices = dict([*others[1 - MOST_DEVICES :], (device, tries)])


def expect_issuable(code: PhoneCode, now: datetime, device: str | None = None) -> None:
    """TooManyCodes beyond the limits of a minute, an hour and a day; TooManyWrongCodes while locked."""
    tries = code.tries_of(device)
    _expect_unlocked(tries, now)
    recent = [(span, most, _within(span, tries.issued, now)) for span, most in MOST_CODES]
    again_at = [issued[-most] + span for span, most, issued in recent if len(issued) >= most]
    if again_at:
        raise TooManyCodes(retry_after=_seconds(max(again_at) - now))


def issue(code: PhoneCode, issued: SignInCodeIssued, now: datetime) -> None:
    """Issue a code. Refuses like ``expect_issuable``."""
    expect_issuable(code, now, issued.device)
    code.record(issued)


def weigh(code: PhoneCode, code_hash: str, now: datetime, device: str | None = None) -> None:
    """Check a code: CodeWrong, which is counted, or TooManyWrongCodes while locked."""
    _expect_unlocked(code.tries_of(device), now)
    if code.code_hash is None or code.expires_at is None or now >= code.expires_at:
        raise CodeWrong
    if not hmac.compare_digest(code.code_hash, code_hash):
        refuse(code, CodeWrong(), now, device)


def refuse(
    code: PhoneCode, refusal: Refusal, now: datetime, device: str | None = None, *, named: bool = False
) -> NoReturn:
    """Count a wrong code, or a wrong answer that goes with the right one, such as a name, and refuse."""
    lock = lock_after(code.tries_of(device).wrong + 1)
    code.refuse(WrongCodeGiven(locked_until=lock and now + lock, named=named, device=device), refusal)


def accept(code: PhoneCode, code_hash: str, now: datetime, device: str | None = None) -> None:
    """Use up a code; refuses like ``weigh``."""
    weigh(code, code_hash, now, device)
    code.record(CodeAccepted(device=device))


def lock_after(wrong: int) -> timedelta | None:
    """How long they are locked: not for four wrong codes since the last right one, then 15 min, up to 4 h.

    A new code does not reset the count, so an attacker has 14 tries on the first day and six on each following day.
    """
    return None if wrong < MOST_WRONG else growing(FIRST_LOCK, wrong - MOST_WRONG, LONGEST_LOCK)


def _expect_unlocked(tries: Tries, now: datetime) -> None:
    if tries.locked_until is not None and now < tries.locked_until:
        raise TooManyWrongCodes(retry_after=_seconds(tries.locked_until - now))


def _within(span: timedelta, issued: list[datetime], now: datetime) -> list[datetime]:
    return [at for at in issued if at > now - span]


def _seconds(span: timedelta) -> int:
    return math.ceil(span.total_seconds())
