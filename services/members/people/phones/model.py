"""A phone: how its number is written, whether it takes text messages, who holds it, and when it was last confirmed."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, assert_never

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.spelling import half_width
from services.chassis.domain.values import Id, Instant

HOME = "CN"
TEXTED = (HOME, "HK", "MO", "TW", "MN", "RU")
"""Whose mobile numbers get text messages: at home, and of the neighbours. Others cost much and invite fraud."""
CONFIRMED_AGAIN = timedelta(days=1)
"""A phone that was confirmed within this time is not noted again."""

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_EXTENSION = re.compile(r"(?:\u8f6c|\u8f49|\u5206\u673a|\u5206\u6a5f)(?:\u63a5)?\s*[:.]?\s*(?=\d)")
"""The Chinese words for an extension, simplified and traditional."""
_BEHIND_A_DASH = re.compile(r"(.*\d{6,})\s*-\s*(\d{1,6})")
_HOME_CODE, _MARK = "+86", ";ext="


class PhoneInvalid(Refusal):
    kind = Kind.INVALID


class PhoneTakesNoTexts(Refusal):
    kind = Kind.INVALID


class PhoneElsewhere(Refusal):
    kind = Kind.STATE


class PhoneEnd(StrEnum):
    """Why a phone is no longer somebody's."""

    CORRECTED = "corrected"
    RECYCLED = "recycled"


class PhoneTaken(Event):
    """A phone has a holder from now on: who signs in with it, or whom an operator registers."""

    private: ClassVar[bool] = True

    holder: Id
    since: Instant


class PhoneConfirmed(Event):
    """The holder of a phone gave a code that came to it: a sign-in, a change. A call shows no number for sure."""

    private: ClassVar[bool] = True

    at: Instant


class PhoneReleased(Event):
    """A phone belongs to nobody."""

    private: ClassVar[bool] = True

    holder: Id
    until: Instant
    because: PhoneEnd | str


PhoneEvent = PhoneTaken | PhoneConfirmed | PhoneReleased


class Phone(Entity[PhoneEvent]):
    """One number, known by its blind index only. It has at most one holder at a time."""

    entity_type: ClassVar[str] = "phone"

    holder: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    """When the last holder lost it, as long as it has none."""
    confirmed_at: Instant | None = None

    def apply(self, event: PhoneEvent) -> None:
        """Fold an event into the state."""
        match event:
            case PhoneTaken():
                self.holder, self.since, self.until, self.confirmed_at = event.holder, event.since, None, None
            case PhoneConfirmed():
                self.confirmed_at = event.at
            case PhoneReleased():
                self.holder, self.since, self.until, self.confirmed_at = None, None, event.until, None
            case _:
                assert_never(event)

    def is_silent(self, now: datetime, after: timedelta) -> bool:
        """Whether its holder has not used it for a time after which somebody else may have it."""
        known_at = self.confirmed_at or self.since
        return known_at is not None and now - known_at >= after


def take(phone: Phone, person_id: str, now: datetime) -> None:
    """Give a phone that nobody holds to a person, or to one who is yet to come; PhoneElsewhere if another holds it."""
    if phone.holder is None:
        phone.record(PhoneTaken(holder=person_id, since=now))
    elif person_id != phone.holder:
        raise PhoneElsewhere


def confirm(phone: Phone, now: datetime) -> None:
    """Note that its holder used it, once a day."""
    if phone.confirmed_at is None or now - phone.confirmed_at >= CONFIRMED_AGAIN:
        phone.record(PhoneConfirmed(at=now))


def release(phone: Phone, holder: str, because: PhoneEnd, now: datetime) -> None:
    """Take it from this holder; nothing where they do not hold it."""
    if phone.holder == holder:
        phone.record(PhoneReleased(holder=holder, until=now, because=because))


def hand_over(phone: Phone, holder: str, person_id: str, now: datetime) -> None:
    """Take a silent phone from this holder and give it to a person, or to one who is yet to come."""
    release(phone, holder, PhoneEnd.RECYCLED, now)
    take(phone, person_id, now)


def e164(phone: str) -> str:
    """Any valid number in E.164 form, such as +8613800000001, with its extension: ``+864708123456;ext=801``.

    Without a country it is one of mainland China. PhoneInvalid otherwise.
    """
    number = _parsed(_EXTENSION.sub(" ext. ", half_width(phone).strip()))
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{whole}{_MARK}{number.extension}" if number.extension else whole


def takes_texts(phone: str) -> bool:
    """Whether text messages reach this number (as ``e164`` writes it)."""
    if _MARK in phone:
        return False
    number = phonenumbers.parse(phone)
    return phonenumbers.number_type(number) in _MOBILE and phonenumbers.region_code_for_number(number) in TEXTED


def for_texts(phone: str) -> str:
    """As ``e164``, of a number that gets text messages; PhoneTakesNoTexts otherwise."""
    number = e164(phone)
    if not takes_texts(number):
        raise PhoneTakesNoTexts
    return number


def masked_phone(phone: str) -> str:
    """As others see it: 138****0001, +852****4567; of an extension nothing."""
    whole = phone.partition(_MARK)[0].removeprefix(_HOME_CODE)
    shown = 4 if whole.startswith("+") else 3
    return f"{whole[:shown]}****{whole[-4:]}"


def _parsed(text: str) -> PhoneNumber:
    number = _number(text)
    if number is None and (dashed := _BEHIND_A_DASH.fullmatch(text)):
        number = _number(f"{dashed[1]} ext. {dashed[2]}")
    if number is None:
        raise PhoneInvalid
    return number


def _number(text: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
