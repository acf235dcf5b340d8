"""Of a sensitive case no phone shows what it is about: in no notice, by no channel, in no language."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.domain.texts import placeholders
from services.chassis.domain.words import Words
from services.contracts.notify.messages import MessageRead, Via
from services.contracts.requests.cases import CaseAccepted, CaseDispatched, CaseFiled
from services.contracts.requests.dangers import Advice, written
from services.notify.cases.model import Case
from services.notify.cases.reactions import is_sensitive, outside, quoted, subject
from services.notify.inboxes.queries import MessageView
from services.notify.messages.model import Message
from services.notify.preferences.commands import SetPreferences, set_preferences
from services.notify.rules.model import Occurrence
from services.notify.templates.model import Facts, Said, section, write
from tests.notify.conftest import HANDLER, RESIDENT, Town, dispatched, signed_in
from tests.notify.test_templates import CASE, FACTS, TEXTS, ZONE

ITEM = Words.named("家庭暴力干预", "Domestic violence")
OFFICE = Words.named("戒毒康复中心", "Drug Rehabilitation Centre")
ANSWER = "已联系家暴庇护所 shelter"
ADVICE = [
    Advice(
        kind="violence-at-home",
        text=Words.named("保留伤情照片，热线12338。", "Keep photographs of injuries; 12338."),
        short=Words.named("紧急时请立即拨打110。", "In an emergency ring 110 at once."),
        numbers=["110"],
    )
]
TELLING = (*ITEM.texts().values(), *OFFICE.texts().values(), ANSWER, *ADVICE[0].text.texts().values())
TEMPLATES = sorted({rule.template for rule in subject.rules})
SEEN_OUTSIDE = {
    "number",
    "next",
    "place:unset",
    "due:unset",
    "times",
    "score",
    "level:levels",
    "because:causes",
    "because:pauses",
}
"""Placeholders of titles and text messages that tell nothing of what a case is about."""
MADE_NEUTRAL = {"item:unset", "handler:unset", "tracking:unset", "advice_short"}


def facts_of(template: str) -> Facts:
    """Every fact that a template may use, of a sensitive case."""
    more = {"words": ANSWER} if "words" in FACTS.get(template, {}) else {}
    return {**FACTS.get(template, CASE), "item": ITEM, "handler": OFFICE, **quoted(written(ADVICE)), **more}


@pytest.mark.parametrize("language", TEXTS.languages)
@pytest.mark.parametrize("template", TEMPLATES)
def test_no_notice_names_a_sensitive_matter_outside(template: str, language: str) -> None:
    facts = facts_of(template)
    text = write(TEXTS, ZONE, template, language, Said(facts, outside(facts)), short=True)
    for shown in (text.title, text.sms or ""):  # the short text is also what mail and the unopened inbox show
        assert [word for word in TELLING if word in shown] == []
        assert "None" not in shown
    named = write(TEXTS, ZONE, template, language, Said(facts, facts), short=True)
    assert named.body == text.body, "who opens it reads all of it"


@pytest.mark.parametrize("language", TEXTS.languages)
@pytest.mark.parametrize("template", TEMPLATES)
def test_what_stands_in_a_title_or_a_text_message_was_judged(template: str, language: str) -> None:
    for part in ("title", "sms"):
        text = TEXTS.get(section(template), part, language)
        assert text is not None
        assert placeholders(text) <= SEEN_OUTSIDE | MADE_NEUTRAL


def test_only_a_case_that_is_marked_is_sensitive() -> None:
    for marked in (True, False):
        case = Case.blank("case_1")
        case.sensitive = marked
        assert is_sensitive(Occurrence("e", None, "case_1", 1, datetime.now(UTC), "a", case)) is marked


async def filed(town: Town, case: str, **more: Any) -> None:
    """A case of the resident about something sensitive, given to an office whose name tells it."""
    await town.keyed(case)
    about: CaseFiled = town.filing(case, "261123-7K3F").model_copy(update={"item_name": ITEM, **more})
    given: CaseDispatched = dispatched().model_copy(update={"handler_name": OFFICE})
    await town.tell(case, about, given)


async def shown(town: Town, template: str, person: str = RESIDENT) -> tuple[Message, MessageView]:
    (message,) = [one for one in await town.messages(person) if one.template == template]
    await town.container.vault.ensure_keys(message.key_subjects())
    return message, MessageView.of(message, town.container.context(signed_in(person), "read"))


async def test_the_inbox_shows_a_sensitive_message_in_neutral_words_until_it_is_read(town: Town) -> None:
    await town.peopled()
    await set_preferences(
        town.container.context(signed_in(RESIDENT), "choice"),
        SetPreferences(channels=[Via.SMS, Via.EMAIL], email="wang@example.org"),
    )
    await filed(town, "case_1", sensitive=True)
    message, line = await shown(town, "case-filed")
    assert line.covered
    assert [word for word in TELLING if word in f"{line.title}{line.body}"] == []
    assert "261123-7K3F" in (line.body or "")
    assert set(message.deliveries) == {"sms", "email"}
    message.apply(MessageRead())
    opened = MessageView.of(message, town.container.context(signed_in(RESIDENT), "read"))
    assert not opened.covered
    assert (ITEM.zh in (opened.body or ""), OFFICE.zh in (opened.body or "")) == (True, True)


async def test_staff_too_hear_of_a_sensitive_case_in_neutral_words(town: Town) -> None:
    await town.peopled()
    await filed(town, "case_1", sensitive=True)
    _, line = await shown(town, "case-assigned", HANDLER)
    assert [word for word in TELLING if word in f"{line.title}{line.body}"] == []
    assert "个人事项" in (line.title or "")


async def test_another_case_is_named(town: Town) -> None:
    await town.peopled()
    await filed(town, "case_1")
    message, line = await shown(town, "case-filed")
    assert not line.covered
    assert ITEM.zh in (line.body or "")
    text = town.container.vault.open_under(message.text, message.key_subjects(), "message-text") if message.text else ""
    assert ITEM.zh in (text or ITEM.zh)


async def test_what_to_do_in_danger_comes_with_the_acknowledgement_at_once_and_goes_with_the_case(town: Town) -> None:
    await town.peopled()
    await town.keyed("case_1")
    await filed(town, "case_1", danger_named=True, advice=town.seal(written(ADVICE), "case_1", "advice"))
    message, line = await shown(town, "case-filed-in-danger")
    assert (message.urgent, message.quoted) == (True, "case_1")
    assert "拨打110" in (line.body or ""), "the short advice stands in the line"
    assert "12338" not in (line.body or "")
    message.apply(MessageRead())
    ctx = town.container.context(signed_in(RESIDENT), "read")
    assert ADVICE[0].text.zh in (MessageView.of(message, ctx).body or "")
    assert await town.templates(RESIDENT) == ["case-filed-in-danger"], "told once"
    await town.tell("case_1", CaseAccepted())
    assert await town.templates(RESIDENT) == ["case-accepted", "case-filed-in-danger"]
    await town.container.vault.keep({"case_1": None})
    assert MessageView.of(message, ctx).body is None


async def test_the_advice_of_an_item_alone_wakes_nobody(town: Town) -> None:
    await town.peopled()
    await town.keyed("case_1")
    await filed(town, "case_1", advice=town.seal(written(ADVICE), "case_1", "advice"))
    message, _ = await shown(town, "case-filed-in-danger")
    assert (message.urgent, message.quoted) == (False, "case_1")
    assert await town.templates(RESIDENT) == ["case-filed-in-danger"], "told once"


async def test_the_advice_of_a_case_of_danger_is_urgent_whatever_its_words(town: Town) -> None:
    await town.peopled()
    await town.keyed("case_1")
    sealed = town.seal(written(ADVICE), "case_1", "advice")
    await filed(town, "case_1", advice=sealed, accept_within_minutes=10)
    message, _ = await shown(town, "case-filed-in-danger")
    assert message.urgent


async def test_a_phone_shows_no_code_by_which_others_would_follow_a_sensitive_case(town: Town) -> None:
    await town.peopled()
    await filed(town, "case_1", sensitive=True)
    message, line = await shown(town, "case-filed")
    assert "查询码 登录后可见" in (line.body or "")
    message.apply(MessageRead())
    opened = MessageView.of(message, town.container.context(signed_in(RESIDENT), "read"))
    assert "查询码" in (opened.body or "")
    assert "登录后可见" not in (opened.body or "")


async def test_advice_comes_in_the_language_of_the_person(town: Town) -> None:
    await town.peopled()
    await set_preferences(
        town.container.context(signed_in(RESIDENT), "choice"), SetPreferences(channels=[], language="en")
    )
    await town.keyed("case_1")
    await filed(town, "case_1", advice=town.seal(written(ADVICE), "case_1", "advice"))
    _, line = await shown(town, "case-filed-in-danger")
    assert ADVICE[0].short.en in (line.body or "")


def test_the_length_of_sealed_advice_does_not_tell_its_kind() -> None:
    other = Advice(kind="fire", text=Words.named("火" * 200, "f" * 300), short=Words.named("火", "f"))
    assert {len(written(one).encode()) for one in ([ADVICE[0]], [other])} == {2048}
