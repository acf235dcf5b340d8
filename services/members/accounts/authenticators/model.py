"""The authenticator of an account: which one-time code was accepted last, so that each is good once."""

import hmac
from datetime import datetime
from typing import ClassVar

import pyotp

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal

STEP_SECONDS = 30


class StaffSignedIn(Event):
    """The credentials of a member of staff were right, with the one-time code of this time step."""

    private: ClassVar[bool] = True

    step: int


class SignInWrong(Refusal):
    kind = Kind.UNAUTHENTICATED


class Authenticator(Entity[StaffSignedIn]):
    """What is known of an account's second factor besides its secret."""

    entity_type: ClassVar[str] = "authenticator"

    last_step: int = 0

    def apply(self, event: StaffSignedIn) -> None:
        """Fold an event into the state."""
        self.last_step = event.step


def accept(authenticator: Authenticator, otp: str, secret: str, now: datetime) -> None:
    """Accept a one-time code once; SignInWrong."""
    step = step_of(otp, secret, authenticator.last_step, now)
    if step is None:
        raise SignInWrong
    authenticator.record(StaffSignedIn(step=step))


def step_of(otp: str, secret: str, last_step: int, now: datetime) -> int | None:
    """The time step of a one-time code (RFC 6238): at most one step away, and later than the last used one."""
    current, totp = int(now.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    fitting = [s for s in range(current - 1, current + 2) if hmac.compare_digest(totp.generate_otp(s), otp)]
    return next((step for step in fitting if step > last_step), None)
