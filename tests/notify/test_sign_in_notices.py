"""What people hear of their account: codes, new devices, sessions in two hands; and in which language."""

from datetime import timedelta

import pytest

from services.chassis.domain.values import now
from services.contracts.members.accounts import (
    AccountOpened,
    NewDeviceUsed,
    SessionEnd,
    SessionEnded,
    SignInCodeIssued,
)
from services.contracts.members.people import PhoneChanged
from services.notify.messages.model import Message
from services.notify.preferences.commands import SetPreferences, set_preferences
from services.notify.preferences.model import preferences_id
from tests.notify.conftest import RESIDENT, Town, signed_in

CASE = "case_lamp"


async def signed_in_first(town: Town, language: str | None) -> None:
    """The event of somebody's first sign-in in this language."""
    opened = AccountOpened(person_id=RESIDENT, roles=["resident"], places=[], organisations=[], language=language)
    await town.tell("account_resident", opened)


async def language_of(town: Town, template: str) -> str:
    """The language of the newest message of a sort."""
    return [one.language for one in await town.messages(RESIDENT) if one.template == template][-1]


async def choose(town: Town, language: str) -> None:
    ctx = town.container.context(signed_in(RESIDENT), f"test:{language}")
    await set_preferences(ctx, SetPreferences(channels=[], language=language))


@pytest.mark.parametrize(("asked_in", "written_in"), [("en", "en"), ("zh", "zh"), (None, "zh")])
async def test_who_first_signed_in_in_a_language_is_written_to_in_it(
    town: Town, asked_in: str | None, written_in: str
) -> None:
    await town.peopled()
    await signed_in_first(town, asked_in)
    await town.filed(CASE)
    assert await language_of(town, "case-filed") == written_in


async def test_what_somebody_chose_counts_more_than_the_language_of_a_first_sign_in(town: Town) -> None:
    await town.peopled()
    await choose(town, "zh")
    await signed_in_first(town, "en")
    await town.filed(CASE)
    assert await language_of(town, "case-filed") == "zh"
    await choose(town, "en")
    await town.filed("case_other", number="261123-9XYZ")
    assert await language_of(town, "case-filed") == "en"


async def test_the_language_of_a_first_sign_in_is_kept_once_however_often_it_is_heard_of(town: Town) -> None:
    await town.peopled()
    for _ in range(2):
        await signed_in_first(town, "en")
    kept = await town.container.mongo.find_one("preferences", {"_id": preferences_id(RESIDENT)})
    assert kept is not None
    assert (kept["version"], kept["state"]["language"], kept["state"]["channels"]) == (1, "en", None)


@pytest.mark.parametrize(("asked_in", "words"), [("en", "Your sign-in code is 402913"), (None, "登录验证码 402913")])
async def test_a_code_comes_in_the_language_in_which_it_was_asked_for(
    town: Town, asked_in: str | None, words: str
) -> None:
    await town.born(RESIDENT)
    phone, code = town.seal("13911112222", RESIDENT, "phone"), town.seal("402913", RESIDENT, "code")
    until = now() + timedelta(minutes=5)
    issued = SignInCodeIssued(person_id=RESIDENT, phone=phone, code=code, expires_at=until, language=asked_in)
    await town.tell("code_1", issued)
    (message,) = await town.messages(RESIDENT)
    assert words in text_of(town, message)


async def test_of_another_number_the_old_one_gets_a_text_message_and_the_inbox_a_notice(town: Town) -> None:
    await town.peopled()
    old, until = town.seal("13911112222", RESIDENT, "phone"), now() + timedelta(days=1)
    await town.tell("person_changed", PhoneChanged(person_id=RESIDENT, phone=old, expires_at=until))
    (message,) = await town.messages(RESIDENT)
    assert (message.template, message.urgent, [*message.deliveries]) == ("phone-changed", True, ["sms"])
    assert message.phone == old, "it goes to the old one, not to that of the file"
    assert "本号码" in text_of(town, message)
    lines = await town.container.mongo.find("inboxes", {"_id": RESIDENT}, limit=1)
    assert message.id in str(lines)


async def test_of_a_landline_that_was_changed_only_the_inbox_tells(town: Town) -> None:
    await town.peopled()
    until = now() + timedelta(days=1)
    await town.tell("person_changed", PhoneChanged(person_id=RESIDENT, expires_at=until))
    (message,) = await town.messages(RESIDENT)
    assert (message.template, message.deliveries) == ("phone-changed", {})


async def test_of_a_new_device_and_a_session_in_two_hands_its_person_hears_in_quiet_hours_too(town: Town) -> None:
    await town.peopled()
    until = now() + timedelta(hours=1)
    await town.tell("session_1", NewDeviceUsed(person_id=RESIDENT))
    await town.tell("session_2", SessionEnded(person_id=RESIDENT, reason=SessionEnd.SPENT_TOKEN, tokens_until=until))
    found = await town.messages(RESIDENT)
    assert sorted((one.template, one.urgent) for one in found) == [("new-device", True), ("session-copied", True)]
    assert [[*one.deliveries] for one in found] == [["sms"], ["sms"]]  # who has the device reads the inbox as well


async def test_who_ends_a_session_from_elsewhere_finds_that_in_the_inbox(town: Town) -> None:
    await town.peopled()
    reason, until = SessionEnd.ENDED_ELSEWHERE, now() + timedelta(hours=1)
    await town.tell("session_1", SessionEnded(person_id=RESIDENT, reason=reason, tokens_until=until))
    (message,) = await town.messages(RESIDENT)
    assert (message.template, message.deliveries) == ("session-ended-elsewhere", {})


@pytest.mark.parametrize("reason", [SessionEnd.SIGNED_OUT, SessionEnd.PHONE_LOST, SessionEnd.ACCOUNT_CLOSED])
async def test_nobody_gets_a_notice_that_they_have_signed_out(town: Town, reason: SessionEnd) -> None:
    await town.peopled()
    until = now() + timedelta(hours=1)
    await town.tell("session_1", SessionEnded(person_id=RESIDENT, reason=reason, tokens_until=until))
    assert await town.messages(RESIDENT) == []


def text_of(town: Town, message: Message) -> str:
    """What comes to the phone."""
    assert message.text is not None
    return town.container.vault.open(message.text, RESIDENT, "message-text") or ""
