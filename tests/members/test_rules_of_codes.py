"""Codes for phones: what their events make of a phone's record, and the spans to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.domain.refusals import Kind
from services.chassis.domain.values import Sealed
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.attempts.model import growing
from services.members.accounts.codes import model
from services.members.accounts.codes.model import (
    CodeAccepted,
    CodeWrong,
    PhoneCode,
    TooManyCodes,
    TooManyWrongCodes,
    WrongCodeGiven,
)

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BLANK: dict[str, object] = {
    "person_id": None,
    "code_hash": None,
    "expires_at": None,
    "wrong_names": 0,
    "strangers": {"issued": [], "wrong": 0, "locked_until": None},
    "devices": {},
}


def sent(code: PhoneCode, at: datetime = START, code_hash: str = "right") -> None:
    model.issue(code, issued(at, code_hash), at)


def issued(at: datetime, code_hash: str = "right") -> SignInCodeIssued:
    return SignInCodeIssued(
        person_id="person_1",
        phone=Sealed("1.phone"),
        code=Sealed("1.code"),
        expires_at=at + timedelta(minutes=5),
        code_hash=code_hash,
    )


def test_a_phones_record_is_what_its_events_say() -> None:
    code = PhoneCode.blank("phonecode_1")
    assert (code.as_stored(), code.subjects()) == (BLANK, ())
    sent(code)
    expires = START + timedelta(minutes=5)
    assert code.fresh == [issued(START)]
    strangers = {"issued": [START], "wrong": 0, "locked_until": None}
    expected = BLANK | {"person_id": "person_1", "strangers": strangers, "code_hash": "right", "expires_at": expires}
    assert (code.as_stored(), code.subjects()) == (expected, ("person_1",))
    with pytest.raises(CodeWrong) as refused:
        model.weigh(code, "wrong", START)
    assert code.keeps(refused.value)
    assert code.fresh[1:] == [WrongCodeGiven(locked_until=None)]
    assert code.as_stored() == expected | {"strangers": strangers | {"wrong": 1}}
    model.accept(code, "right", START)
    assert code.fresh[2:] == [CodeAccepted()]
    assert code.as_stored() == expected | {"code_hash": None}


def test_a_lock_is_kept_with_the_count() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            model.weigh(code, "wrong", START)
    assert (code.strangers.wrong, code.strangers.locked_until) == (5, START + timedelta(minutes=15))
    with pytest.raises(TooManyWrongCodes) as refused:
        model.expect_issuable(code, START + timedelta(minutes=14, milliseconds=1))
    assert (refused.value.retry_after, refused.value.kind) == (60, Kind.TOO_MANY)
    model.expect_issuable(code, START + timedelta(minutes=15))


def test_what_strangers_do_with_a_phone_and_what_a_device_does_are_counted_apart() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code)
    model.issue(code, issued(START).model_copy(update={"device": "d1"}), START)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            model.weigh(code, "wrong", START)
    with pytest.raises(TooManyWrongCodes):
        model.weigh(code, "right", START)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            model.weigh(code, "wrong", START, "d1")
    for device in (None, "d1"):
        with pytest.raises(TooManyWrongCodes):
            model.expect_issuable(code, START, device)
    model.accept(code, "right", START, "d2")
    assert (code.strangers.wrong, code.devices["d1"].wrong, code.devices["d2"].wrong) == (5, 5, 0)


def test_of_the_latest_devices_it_is_remembered_what_they_did() -> None:
    code = PhoneCode.blank("phonecode_1")
    for number in (0, *range(model.MOST_DEVICES), 0, model.MOST_DEVICES):
        code.record(WrongCodeGiven(device=f"d{number}"))
    assert list(code.devices) == [*(f"d{number}" for number in range(2, 10)), "d0", "d10"]
    assert code.devices["d0"].wrong == 3


def test_events_of_right_and_wrong_codes_are_private() -> None:
    assert WrongCodeGiven.private
    assert CodeAccepted.private
    assert CodeWrong.kind is Kind.UNAUTHENTICATED


def test_a_second_code_comes_a_minute_after_the_first() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code)
    with pytest.raises(TooManyCodes) as refused:
        sent(code, START + timedelta(minutes=1) - SECOND)
    assert (refused.value.retry_after, refused.value.kind) == (1, Kind.TOO_MANY)
    sent(code, START + timedelta(minutes=1))


def test_a_sixth_code_comes_an_hour_after_the_first() -> None:
    code = PhoneCode.blank("phonecode_1")
    for minutes in range(0, 50, 10):
        sent(code, START + timedelta(minutes=minutes))
    with pytest.raises(TooManyCodes) as refused:
        model.expect_issuable(code, START + timedelta(minutes=50))
    assert refused.value.retry_after == 600
    model.expect_issuable(code, START + timedelta(hours=1))


def test_codes_of_more_than_a_day_ago_are_forgotten() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code)
    sent(code, START + timedelta(hours=12))
    sent(code, START + timedelta(days=1))
    assert code.strangers.issued == [START + timedelta(hours=12), START + timedelta(days=1)]


def test_a_code_is_good_until_the_second_in_which_it_expires_and_then_counts_for_nothing() -> None:
    code = PhoneCode.blank("phonecode_1")
    with pytest.raises(CodeWrong):
        model.weigh(code, "right", START)
    sent(code)
    model.weigh(code, "right", START + timedelta(minutes=5) - SECOND)
    for code_hash in ("right", "wrong"):
        with pytest.raises(CodeWrong) as refused:
            model.weigh(code, code_hash, START + timedelta(minutes=5))
        assert not code.keeps(refused.value)
    assert code.strangers.wrong == 0


def test_a_code_that_was_taken_is_good_for_nothing_and_counts_for_nothing() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code)
    model.accept(code, "right", START)
    with pytest.raises(CodeWrong) as refused:
        model.accept(code, "right", START)
    assert not code.keeps(refused.value)


@pytest.mark.parametrize(
    ("times", "minutes"), [(0, 15), (1, 30), (2, 60), (4, 240), (5, 240), (10, 240), (11, 240), (1_000_000, 240)]
)
def test_what_grows_doubles_up_to_the_longest(times: int, minutes: int) -> None:
    assert growing(timedelta(minutes=15), times, timedelta(hours=4)) == timedelta(minutes=minutes)
