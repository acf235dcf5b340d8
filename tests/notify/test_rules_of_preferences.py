"""Preferences, inboxes and texts: what somebody chose, what stands where in an inbox, how instants are told."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.chassis.domain.refusals import Busy, Kind, Refusal
from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.chassis.domain.texts import Texts
from services.chassis.domain.values import Sealed, id_from
from services.chassis.domain.words import Words
from services.contracts.notify.messages import Via
from services.contracts.notify.preferences import PreferencesSet
from services.notify.inboxes import model as inboxes
from services.notify.inboxes.model import Entry, Inbox, InboxSubscribers, TooManyStreams
from services.notify.preferences import model as preferences
from services.notify.preferences.model import Preferences, QuietHours
from services.notify.templates.model import Facts, Said, Written, write

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
"""16:00 in the city."""


def choosing(**more: Any) -> PreferencesSet:
    chosen = {"person_id": "person_1", "channels": ["sms"], "language": "en", **more}
    return PreferencesSet.model_validate(chosen)


def test_without_preferences_notices_are_in_chinese_by_the_channels_of_the_rules() -> None:
    untouched = Preferences.untouched("person_1")
    assert untouched.id == preferences.preferences_id("person_1")
    assert untouched.as_stored() == {
        "person_id": "person_1",
        "channels": None,
        "language": "zh",
        "quiet_from": None,
        "quiet_to": None,
        "email": None,
    }
    assert [(untouched.wants(via), untouched.declines(via)) for via in Via] == [(False, False)] * 3
    assert Preferences.collection() == "preferences"


def test_each_person_has_one_set_of_preferences() -> None:
    never_asked_for = "person_whose_id_no_other_test_has"  # ids are remembered
    assert preferences.preferences_id(never_asked_for) == id_from("preferences", never_asked_for)


def test_preferences_are_what_was_chosen() -> None:
    own = Preferences.untouched("person_1")
    chosen = choosing(channels=["sms", "email"], quiet_from="22:00", quiet_to="07:00", email=Sealed("1.email"))
    preferences.choose(own, chosen)
    assert own.fresh == [chosen]
    assert own.as_stored() == chosen.model_dump()
    assert [(own.wants(via), own.declines(via)) for via in (Via.INBOX, Via.SMS)] == [(False, True), (True, False)]
    blank = Preferences.blank("preferences_1")
    blank.apply(chosen)
    assert blank.as_stored() == chosen.model_dump()
    assert blank.subjects() == ("person_1",)


def test_everybody_sees_the_own_preferences() -> None:
    somebody = Actor("account_1", frozenset({"administrator"}), ("1507",), person="person_1")
    assert Preferences.visible(somebody) == Visible(any_of=(("state.person_id", ("person_1",)),))
    assert Preferences.visible(system_actor("timer")) == ALL


WRONG = [
    ({"channels": ["email"]}, "address-missing"),
    ({"quiet_from": "22:00"}, "quiet-hours-unfit"),
    ({"quiet_to": "07:00"}, "quiet-hours-unfit"),
    ({"quiet_from": "07:00", "quiet_to": "07:00"}, "quiet-hours-unfit"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG)
def test_a_choice_that_makes_no_sense_is_refused(wrong: dict[str, Any], code: str) -> None:
    own = Preferences.untouched("person_1")
    with pytest.raises(Refusal) as refused:
        preferences.choose(own, choosing(**wrong))
    assert (refused.value.code(), refused.value.kind, own.fresh) == (code, Kind.INVALID, [])


def test_an_address_is_kept_also_where_mail_is_not_wanted() -> None:
    own = Preferences.untouched("person_1")
    preferences.choose(own, choosing(email=Sealed("1.email")))
    assert own.email == "1.email"


@pytest.mark.parametrize(
    ("start", "end", "free"),
    [
        ("15:00", "17:00", AT + timedelta(hours=1)),
        ("16:00", "17:00", AT + timedelta(hours=1)),
        ("15:00", "16:00", AT),
        ("17:00", "18:00", AT),
        ("15:00", "07:00", AT + timedelta(hours=15)),
        ("17:00", "07:00", AT),
        ("23:00", "16:30", AT + timedelta(minutes=30)),
    ],
)
def test_quiet_hours_are_those_of_the_citys_wall_clock(start: str, end: str, free: datetime) -> None:
    own = Preferences.untouched("person_1")
    own.quiet_from, own.quiet_to = start, end
    assert own.free_from(AT, SHANGHAI) == free
    hours = QuietHours(time.fromisoformat(start), time.fromisoformat(end))
    assert hours.contains(AT, SHANGHAI) == (free > AT)
    assert own.free_from(AT, SHANGHAI).tzinfo is UTC


@pytest.mark.parametrize(("start", "end"), [(None, "17:00"), ("15:00", None), (None, None)])
def test_half_a_span_of_quiet_hours_is_none(start: str | None, end: str | None) -> None:
    own = Preferences.untouched("person_1")
    own.quiet_from, own.quiet_to = start, end
    assert own.free_from(AT, SHANGHAI) == AT


DOCUMENT = {
    "sequence": 7,
    "unread": 2,
    "lines": [{"sequence": number, "message": f"message_{number}", "at": AT} for number in (5, 6, 7)],
}


def test_an_inbox_is_what_is_in_its_document() -> None:
    inbox = Inbox.of(DOCUMENT)
    assert (inbox.sequence, inbox.unread) == (7, 2)
    assert inbox.lines == [Entry(number, f"message_{number}", AT) for number in (5, 6, 7)]
    assert Inbox.of(None) == Inbox(0, 0, ())


def test_a_stream_continues_after_the_last_line_that_was_read() -> None:
    inbox = Inbox.of(DOCUMENT)
    assert [[line.sequence for line in inbox.after(last)] for last in (4, 5, 7)] == [[5, 6, 7], [6, 7], []]


@pytest.mark.parametrize(("last", "reaches"), [(3, False), (4, True), (5, True), (7, True), (8, False)])
def test_an_inbox_reaches_back_to_its_oldest_line(last: int, *, reaches: bool) -> None:
    assert Inbox.of(DOCUMENT).reaches(last) == reaches


@pytest.mark.parametrize(("last", "reaches"), [(-1, False), (0, True), (1, False)])
def test_of_an_empty_inbox_nothing_is_missed(last: int, *, reaches: bool) -> None:
    assert Inbox.of(None).reaches(last) == reaches


def test_a_message_is_counted_as_read_once_and_two_hundred_are_remembered() -> None:
    where, update = inboxes.marking("person_1", "message_1")
    assert where == {"_id": "person_1", "read": {"$ne": "message_1"}, "unread": {"$gt": 0}}
    assert update == {"$inc": {"unread": -1}, "$push": {"read": {"$each": ["message_1"], "$slice": -200}}}


def test_a_line_is_late_after_a_minute_and_lost_long_after() -> None:
    assert timedelta(minutes=1) == inboxes.LATE
    assert inboxes.LOST >= 10 * inboxes.LATE
    assert (inboxes.COLLECTION, inboxes.KEPT, inboxes.MOST, inboxes.MOST_EACH) == ("inboxes", 200, 3_000, 10)


async def test_everybody_who_waits_at_an_inbox_is_notified_and_nobody_else() -> None:
    subscribers = InboxSubscribers()
    with (
        subscribers.subscribed("person_1") as first,
        subscribers.subscribed("person_1") as second,
        subscribers.subscribed("person_2") as other,
    ):
        assert subscribers.count == 3
        subscribers.notify("person_1")
        subscribers.notify("person_3")
        assert [signal.is_set() for signal in (first, second, other)] == [True, True, False]
        subscribers.notify_all()
        assert other.is_set()
    assert subscribers.count == 0
    subscribers.notify_all()


def test_a_subscription_ends_also_where_waiting_fails() -> None:
    subscribers = InboxSubscribers(most=1)
    with pytest.raises(ValueError, match="gone"), subscribers.subscribed("person_1"):
        raise ValueError("gone")
    assert subscribers.count == 0
    subscribers.expect_room("person_1")


def test_of_two_who_wait_the_other_continues_waiting() -> None:
    subscribers = InboxSubscribers()
    with subscribers.subscribed("person_1") as staying:
        with subscribers.subscribed("person_1") as leaving:
            assert isinstance(leaving, asyncio.Event)
        subscribers.notify("person_1")
        assert (staying.is_set(), leaving.is_set(), subscribers.count) == (True, False, 1)


def test_streams_of_one_person_and_of_one_process_are_limited() -> None:
    subscribers = InboxSubscribers(most=3, most_each=2)
    with subscribers.subscribed("person_1"), subscribers.subscribed("person_1"):
        with pytest.raises(TooManyStreams) as refused:
            subscribers.expect_room("person_1")
        assert (refused.value.params, refused.value.retry_after) == ({"most": 2}, 30)
        assert refused.value.kind is Kind.TOO_MANY
        subscribers.expect_room("person_2")
        with subscribers.subscribed("person_2"), pytest.raises(Busy) as busy:
            subscribers.expect_room("person_3")
        assert busy.value.retry_after == 5


def test_by_default_ten_places_of_one_person_and_three_thousand_of_all_are_served() -> None:
    subscribers = InboxSubscribers()
    subscribers._signals["person_1"] = {asyncio.Event() for _ in range(9)}
    subscribers._count = 2_999
    subscribers.expect_room("person_1")
    subscribers._signals["person_1"].add(asyncio.Event())
    with pytest.raises(TooManyStreams):
        subscribers.expect_room("person_1")
    subscribers._count = 3_000
    with pytest.raises(Busy):
        subscribers.expect_room("person_2")


TEXTS = Texts(
    {
        "zh": {
            ("notices.greeting", "title"): " 你好 {who} ",
            ("notices.greeting", "body"): "{at}",
            ("notices.greeting", "sms"): "{number}",
            ("dates", "moment"): "{day}日{time}",
        },
        "en": {
            ("notices.greeting", "title"): "Hello {who}",
            ("notices.greeting", "body"): "{at}",
            ("notices.greeting", "sms"): "<{number}>",
            ("dates", "moment"): "{time} on {day}",
        },
    }
)
GREETING: Facts = {"who": Words(zh="王", en="Wang"), "at": AT + timedelta(minutes=5), "number": 7}


@pytest.mark.parametrize(
    ("language", "title", "body", "sms"),
    [("zh", "你好 王", "23日16:05", "7"), ("en", "Hello Wang", "16:05 on 23", "<7>")],
)
def test_gaps_are_filled_in_the_language_and_the_time_of_the_reader(
    language: str, title: str, body: str, sms: str
) -> None:
    said = Said(GREETING, GREETING)
    assert write(TEXTS, SHANGHAI, "greeting", language, said, short=True) == Written(title, body, sms)
    assert write(TEXTS, SHANGHAI, "greeting", language, said, short=False) == Written(title, body, None)


def test_a_language_without_texts_is_refused() -> None:
    preferences.expect_language("zh", ("zh", "en"))
    with pytest.raises(preferences.LanguageUnknown) as refused:
        preferences.expect_language("mn", ("zh", "en"))
    assert refused.value.params == {"language": "mn", "languages": ["zh", "en"]}
    assert refused.value.kind is Kind.INVALID
