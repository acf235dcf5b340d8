"""Phones: how numbers are read, which of them take text messages, who holds one, and when it counts as silent."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import NOBODY, NONE
from services.members.people.phones import model as phones
from services.members.people.phones.model import (
    Phone,
    PhoneElsewhere,
    PhoneEnd,
    PhoneInvalid,
    PhoneTakesNoTexts,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    "said", ["13800000001", "+86 138 0000 0001", "0086-13800000001", "138-0000-0001", "１３８　００００　０００１"]
)
def test_a_mobile_number_is_written_one_way(said: str) -> None:
    assert phones.for_texts(said) == "+8613800000001"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("0470-8123456", "+864708123456"),
        ("(0470) 8123456", "+864708123456"),
        ("+86 0470 8123456", "+864708123456"),
        ("０４７０－８１２３４５６", "+864708123456"),
        ("0470-8123456转801", "+864708123456;ext=801"),
        ("0470-8123456 轉 801", "+864708123456;ext=801"),
        ("04708123456转接801", "+864708123456;ext=801"),
        ("0470-8123456分机：801", "+864708123456;ext=801"),
        ("0470-8123456 ext. 801", "+864708123456;ext=801"),
        ("0470-8123456-801", "+864708123456;ext=801"),
        ("400-810-8888", "+864008108888"),
        ("+852 2123 4567", "+85221234567"),
        ("+976 11 321234", "+97611321234"),
        ("+1 650 253 0000", "+16502530000"),
        ("+4915112345678", "+4915112345678"),
    ],
)
def test_a_caller_has_any_number_but_texts_go_to_mobile_ones_at_home_and_nearby(said: str, written: str) -> None:
    assert phones.e164(said) == written
    assert not phones.takes_texts(written)
    with pytest.raises(PhoneTakesNoTexts) as refused:
        phones.for_texts(said)
    assert refused.value.kind is Kind.INVALID
    assert not refused.value.params, "the number is not said again"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("+852 5123 4567", "+85251234567"),
        ("00852 51234567", "+85251234567"),
        ("+853 6612 3456", "+85366123456"),
        ("+886 912 345 678", "+886912345678"),
        ("+976 9911 2233", "+97699112233"),
        ("+7 914 123-45-67", "+79141234567"),
    ],
)
def test_mobile_numbers_of_the_neighbours_get_text_messages(said: str, written: str) -> None:
    assert phones.for_texts(said) == written


@pytest.mark.parametrize(
    "said",
    ["", "wang", "1380000000", "8123456", "110", "10086", "12345678", "转801", "0470-转801", "+999 12345678", "+"],
)
def test_what_is_no_number_is_refused(said: str) -> None:
    with pytest.raises(PhoneInvalid) as refused:
        phones.e164(said)
    assert refused.value.kind is Kind.INVALID
    assert refused.value.__cause__ is None, "what the library says holds the number"


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613812345678", "138****5678"),
        ("+864708123456", "470****3456"),
        ("+864708123456;ext=801", "470****3456"),
        ("+85251234567", "+852****4567"),
    ],
)
def test_others_see_of_a_phone_as_much_as_they_need(number: str, masked: str) -> None:
    assert phones.masked_phone(number) == masked


def held(by: str = "person_1") -> Phone:
    phone = Phone.blank("phone_1")
    phones.take(phone, by, START)
    phone.version = len(phone.fresh)
    return phone


def test_a_phone_has_one_holder_who_is_not_replaced_while_they_hold_it() -> None:
    phone = held()
    phones.take(phone, "person_1", START)
    assert (phone.holder, phone.since, len(phone.fresh)) == ("person_1", START, 1)
    with pytest.raises(PhoneElsewhere) as refused:
        phones.take(phone, "person_2", START)
    assert refused.value.kind is Kind.STATE
    assert phone.holder == "person_1"


def test_a_released_phone_is_nobodys_until_somebody_takes_it() -> None:
    phone = held()
    phones.release(phone, "person_other", PhoneEnd.CORRECTED, START)
    assert phone.holder == "person_1", "only its holder loses it"
    phones.release(phone, "person_1", PhoneEnd.CORRECTED, START + YEAR)
    lost = phone.model_dump(include={"holder", "since", "until"})
    assert lost == {"holder": None, "since": None, "until": START + YEAR}
    phones.take(phone, "person_2", START + YEAR)
    taken = phone.model_dump(include={"holder", "since", "until"})
    assert taken == {"holder": "person_2", "since": START + YEAR, "until": None}


def test_a_phone_is_silent_a_year_after_it_was_given_or_confirmed() -> None:
    phone, later = held(), timedelta(days=100)
    for since in (timedelta(), later):
        silent = [phone.is_silent(START + since + timedelta(days=days), YEAR) for days in (0, 364, 365, 900)]
        assert silent == [False, False, True, True]
        phones.confirm(phone, START + later)


def test_a_phone_is_confirmed_once_a_day() -> None:
    phone = held()
    for hours in (0, 1, 23, 24, 25):
        phones.confirm(phone, START + timedelta(hours=hours))
    assert [type(event).__name__ for event in phone.fresh] == ["PhoneTaken", "PhoneConfirmed", "PhoneConfirmed"]
    assert phone.confirmed_at == START + timedelta(days=1)


def test_a_phone_that_is_handed_over_is_not_confirmed_yet() -> None:
    phone = held()
    phones.confirm(phone, START)
    phones.hand_over(phone, "person_1", "person_2", START + YEAR)
    assert (phone.holder, phone.since, phone.confirmed_at) == ("person_2", START + YEAR, None)
    with pytest.raises(PhoneElsewhere):
        phones.hand_over(phone, "person_1", "person_3", START + YEAR)


def test_nobody_sees_phones_and_nothing_of_them_is_published() -> None:
    assert Phone.visible(NOBODY) == NONE
    assert all(kind.private for kind in Phone.events.values())
