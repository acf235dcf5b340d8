"""Messages: what their events make of them, when each channel is tried next, and when it is given up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.chassis.domain.values import Sealed
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    GivenUpBecause,
    MessageRead,
    MessageWritten,
    Via,
)
from services.notify.channels.model import SendFailed
from services.notify.messages import model
from services.notify.messages.model import Backoff, Delivery, DeliveryState, Message

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
WRITTEN = MessageWritten(
    person_id="person_1",
    template="case-filed",
    language="zh",
    title=Sealed("1.title"),
    body=Sealed("1.body"),
    about="case_1",
    because_of="case_1:1",
    happened_at=AT,
    urgent=False,
    channels=["inbox", "sms", "email"],
    phone=Sealed("1.phone"),
    text=Sealed("1.text"),
)
WAITING = {"state": "waiting", "attempt": 0, "because": None, "reason": None}


def written(**more: Any) -> Message:
    message = Message.blank("message_1")
    message.record(WRITTEN.model_copy(update=more))
    return message


def state(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="python", exclude={"id", "version"})


def test_a_message_opens_with_the_key_of_its_reader_and_of_the_case_that_it_quotes() -> None:
    assert written().key_subjects() == ("person_1",)
    assert written(quoted="case_1").key_subjects() == ("person_1", "case_1")


def test_a_message_is_as_it_was_written() -> None:
    message = written()
    assert state(message) == {
        "person_id": "person_1",
        "quoted": None,
        "covered": False,
        "inbox_of": "person_1",
        "template": "case-filed",
        "language": "zh",
        "title": "1.title",
        "body": "1.body",
        "text": "1.text",
        "phone": "1.phone",
        "about": "case_1",
        "because_of": "case_1:1",
        "happened_at": AT,
        "expires_at": AT + timedelta(hours=24),
        "urgent": False,
        "on_call": False,
        "read": False,
        "deliveries": {"sms": WAITING, "email": WAITING},
        "next_urgent_sms_at": None,
        "next_sms_at": AT,
        "next_email_at": AT,
    }
    assert message.subjects() == ("person_1",)


def test_a_message_expires_and_begins_when_it_says_so() -> None:
    message = written(expires_at=AT + HOUR, not_before=AT + SECOND, urgent=True)
    assert (message.expires_at, message.urgent) == (AT + HOUR, True)
    assert (message.next_urgent_sms_at, message.next_sms_at) == (AT + SECOND, None)
    assert message.next_email_at == AT + SECOND


def test_what_is_for_a_phone_only_is_in_no_inbox() -> None:
    message = written(channels=["sms"])
    assert (message.inbox_of, [*message.deliveries], message.next_email_at) == (None, ["sms"], None)
    inbox = written(channels=["inbox"])
    assert (inbox.inbox_of, inbox.deliveries) == ("person_1", {})
    assert [inbox.next_at(via) for via in Via] == [None] * 3


def test_everybody_sees_what_is_in_the_own_inbox() -> None:
    somebody = Actor("account_1", frozenset({"administrator"}), ("1507",), person="person_1")
    assert Message.visible(somebody) == Visible(any_of=(("state.inbox_of", ("person_1",)),))
    assert Message.visible(system_actor("timer")) == ALL


def test_each_channel_has_a_time_and_a_stable_key_of_its_own() -> None:
    plain, urgent = written(), written(urgent=True)
    for message in (plain, urgent):
        assert [message.next_at(via) for via in Via] == [None, AT, AT]
    assert [plain.key(via) for via in (Via.SMS, Via.EMAIL)] == ["message_1:sms", "message_1:email"]


def test_what_a_channel_took_is_not_tried_again_and_its_words_are_forgotten() -> None:
    message = written()
    model.made(message, Via.SMS)
    assert message.fresh[-1] == DeliveryMade(channel="sms", attempt=1)
    made = Delivery(state=DeliveryState.MADE, attempt=1)
    assert message.deliveries == {"sms": made, "email": Delivery()}
    assert [message.next_at(via) for via in Via] == [None, None, AT]
    assert (message.text, message.phone) == (None, None), "a code is not kept where it is of no more use"
    model.made(message, Via.EMAIL)
    assert [message.next_at(via) for via in Via] == [None] * 3


def test_the_words_for_a_phone_are_kept_while_it_is_still_to_be_tried() -> None:
    message = written()
    model.made(message, Via.EMAIL)
    assert (message.text, message.phone) == ("1.text", "1.phone")
    assert message.next_at(Via.SMS) == AT


def fail(message: Message, *, reason: str = "sms 503", at: datetime = AT, **more: Any) -> None:
    model.failed(message, Via.SMS, SendFailed(reason, **more), at, Backoff(), lambda wanted: wanted)


def test_after_each_failure_a_channel_waits_for_longer_and_after_the_eighth_it_is_given_up() -> None:
    message = written(expires_at=AT + timedelta(days=3))
    waits = []
    for attempt in range(1, 8):
        fail(message)
        result = message.fresh[-1]
        assert isinstance(result, DeliveryFailed)
        assert (result.channel, result.attempt, result.reason) == ("sms", attempt, "sms 503")
        assert message.deliveries["sms"] == Delivery(attempt=attempt, reason="sms 503")
        assert message.next_at(Via.SMS) == result.again_at
        waits.append((result.again_at - AT).total_seconds())
    assert waits == [5, 30, 120, 600, 3600, 3600, 3600]
    fail(message)
    assert message.fresh[-1] == DeliveryGivenUp(channel="sms", attempt=8, because="failed", reason="sms 503")
    given_up = Delivery(state=DeliveryState.GIVEN_UP, attempt=8, because="failed", reason="sms 503")
    assert message.deliveries == {"sms": given_up, "email": Delivery()}
    assert (message.next_at(Via.SMS), message.text) == (None, None)


def test_an_urgent_message_is_tried_again_before_the_others() -> None:
    message = written(urgent=True)
    fail(message)
    assert (message.next_urgent_sms_at, message.next_sms_at) == (AT + 5 * SECOND, None)
    assert (message.text, message.phone) == ("1.text", "1.phone")


def test_a_provider_may_ask_for_a_longer_pause_but_not_for_a_shorter() -> None:
    for asked, pause in ((60 * SECOND, 60 * SECOND), (SECOND, 5 * SECOND)):
        message = written()
        fail(message, retry_after=asked)
        assert message.next_at(Via.SMS) == AT + pause


def test_what_fails_for_good_is_given_up_at_once() -> None:
    message = written()
    fail(message, reason="no such number", for_good=True)
    result = DeliveryGivenUp(channel="sms", attempt=1, because=GivenUpBecause.FAILED, reason="no such number")
    assert message.fresh[-1] == result


def test_what_would_come_too_late_is_given_up() -> None:
    for expires, kept in ((AT + 5 * SECOND, False), (AT + 6 * SECOND, True)):
        message = written(expires_at=expires)
        fail(message)
        assert isinstance(message.fresh[-1], DeliveryFailed) == kept
    late = written()
    quiet = AT + timedelta(hours=25)
    model.failed(late, Via.SMS, SendFailed("sms 503"), AT, Backoff(), lambda _: quiet)
    assert late.fresh[-1] == DeliveryGivenUp(channel="sms", attempt=1, because="expired", reason="sms 503")


def test_a_next_attempt_waits_until_the_recipient_may_be_disturbed() -> None:
    message = written()
    model.failed(message, Via.SMS, SendFailed("x"), AT, Backoff(), lambda at: at + HOUR)
    assert message.next_at(Via.SMS) == AT + 5 * SECOND + HOUR


def test_what_is_held_in_quiet_hours_waits_for_their_end_without_an_attempt() -> None:
    message = written()
    model.held(message, Via.EMAIL, AT + HOUR)
    assert message.fresh[-1] == DeliveryHeld(channel="email", again_at=AT + HOUR)
    assert [message.next_at(via) for via in Via] == [None, AT, AT + HOUR]
    assert message.deliveries["email"] == Delivery()


def test_what_is_not_wanted_any_more_is_given_up_without_an_attempt_or_a_word() -> None:
    message = written()
    fail(message)
    model.given_up(message, Via.SMS, GivenUpBecause.NOT_WANTED)
    assert message.fresh[-1] == DeliveryGivenUp(channel="sms", attempt=1, because="not_wanted")


def test_a_message_is_read_once() -> None:
    message = written()
    model.read(message)
    model.read(message)
    assert (message.read, message.fresh[1:]) == (True, [MessageRead()])


@pytest.mark.parametrize(("attempt", "pause"), [(1, SECOND), (2, HOUR), (3, None), (4, None)])
def test_there_is_one_attempt_more_than_there_are_pauses(attempt: int, pause: timedelta | None) -> None:
    assert Backoff((SECOND, HOUR)).after(attempt) == pause


def test_what_a_channel_says_is_tried_again_unless_it_says_otherwise() -> None:
    refused = SendFailed("sms 503")
    assert (refused.reason, str(refused), refused.retry_after, refused.for_good) == (
        "sms 503",
        "sms 503",
        timedelta(0),
        False,
    )
