"""Codes: the rules by which one is sent and taken."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.values import Sealed
from services.contracts.members.accounts import SignInCodeIssued
from services.members.accounts.codes import model
from services.members.accounts.codes.model import CodeWrong, PhoneCode, TooManyCodes, TooManyWrongCodes

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
STEPS = st.lists(st.tuples(st.sampled_from(["send", "right", "wrong"]), st.integers(0, 1200)), max_size=60)


def sent(code: PhoneCode, at: datetime, code_hash: str = "right") -> None:
    phone, digits, expires_at = Sealed("1.phone"), Sealed("1.code"), at + model.LIFE
    issued = SignInCodeIssued(
        person_id="person_1", phone=phone, code=digits, expires_at=expires_at, code_hash=code_hash
    )
    model.issue(code, issued, at)


@given(STEPS)
def test_no_sequence_of_steps_gets_more_codes_or_tries_than_allowed(steps: list[tuple[str, int]]) -> None:
    code, now = PhoneCode.blank("phonecode_1"), START
    issued: list[datetime] = []
    wrong, locked_until, good = 0, START, False
    for step, wait in steps:
        now += timedelta(seconds=wait)
        try:
            if step == "send":
                sent(code, now)
                assert now >= locked_until
                issued.append(now)
                for span, most in model.MOST_CODES:
                    assert len([at for at in issued if at > now - span]) <= most
                good = True
            else:
                model.accept(code, step, now)
                assert (step, good) == ("right", True)
                assert now >= locked_until
                assert now - issued[-1] < model.LIFE
                wrong, good = 0, False
        except CodeWrong:
            assert now >= locked_until
            wrong += step == "wrong" and good and now - issued[-1] < model.LIFE
            assert code.strangers.wrong == wrong
            locked_until = code.strangers.locked_until or START
            assert wrong < model.MOST_WRONG or locked_until > now - model.LONGEST_LOCK
        except (TooManyCodes, TooManyWrongCodes) as refusal:
            assert refusal.retry_after is not None
            assert refusal.retry_after > 0


@given(st.lists(st.integers(60, 4000), max_size=20))
def test_a_code_is_sent_again_as_soon_as_retry_after_says(waits: list[int]) -> None:
    code, now = PhoneCode.blank("phonecode_1"), START
    for wait in waits:
        now += timedelta(seconds=wait)
        try:
            sent(code, now)
        except TooManyCodes as refusal:
            assert refusal.retry_after
            with pytest.raises(TooManyCodes):
                sent(code, now + timedelta(seconds=refusal.retry_after - 1))
            now += timedelta(seconds=refusal.retry_after)
            sent(code, now)


def test_after_five_wrong_codes_the_right_one_is_refused_for_a_quarter_of_an_hour() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code, START)
    for _ in range(5):
        with pytest.raises(CodeWrong):
            model.weigh(code, "wrong", START)
    with pytest.raises(TooManyWrongCodes) as raised:
        model.weigh(code, "right", START + timedelta(minutes=1))
    assert raised.value.retry_after == 14 * 60
    with pytest.raises(TooManyWrongCodes):
        sent(code, START + timedelta(minutes=14, seconds=59))
    sent(code, START + timedelta(minutes=15))


def test_wrong_codes_are_counted_until_a_right_one_however_many_are_sent() -> None:
    code, now, locks = PhoneCode.blank("phonecode_1"), START, list[timedelta]()
    while len(locks) < 10:
        sent(code, now)
        with pytest.raises(CodeWrong):
            model.weigh(code, "wrong", now)
        until = code.strangers.locked_until
        locks.append(until - now if until else timedelta())
        now += max(locks[-1], timedelta(minutes=12))
    assert [lock.total_seconds() / 60 for lock in locks] == [0, 0, 0, 0, 15, 30, 60, 120, 240, 240]
    sent(code, now)
    model.accept(code, "right", now)
    sent(code, now + timedelta(hours=1))
    with pytest.raises(CodeWrong):
        model.weigh(code, "wrong", now + timedelta(hours=1))
    model.accept(code, "right", now + timedelta(hours=1))


def test_a_phone_gets_twenty_codes_a_day() -> None:
    code = PhoneCode.blank("phonecode_1")
    for hour in range(4):
        for minute in range(5):
            sent(code, START + timedelta(hours=hour, minutes=minute))
    with pytest.raises(TooManyCodes) as raised:
        sent(code, START + timedelta(hours=20))
    assert raised.value.retry_after == 4 * 3600
    sent(code, START + timedelta(hours=24))


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(hours=2)])
def test_a_code_is_good_for_five_minutes(later: timedelta) -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code, START)
    model.weigh(code, "right", START + timedelta(minutes=4, seconds=59))
    with pytest.raises(Refusal) as raised:
        model.accept(code, "right", START + later)
    assert raised.value.code() == "code-wrong"
    assert code.strangers.wrong == 0


def test_a_new_code_replaces_the_one_before() -> None:
    code = PhoneCode.blank("phonecode_1")
    sent(code, START, "first")
    sent(code, START + timedelta(minutes=1), "second")
    with pytest.raises(CodeWrong):
        model.accept(code, "first", START + timedelta(minutes=1))
    model.accept(code, "second", START + timedelta(minutes=1))
