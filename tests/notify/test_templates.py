"""Templates: in each language everything can be said, and nothing is said with a gap."""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.chassis.domain.words import Words
from services.chassis.runtime.texts import load
from services.contracts.notify.messages import Via
from services.notify.app import subjects
from services.notify.templates.model import Facts, Said, Written, section, write

TEXTS = load(("services.contracts", "services.notify"))
ZONE = ZoneInfo("Asia/Shanghai")
TEMPLATES = sorted({rule.template for one in subjects for rule in one.rules})
VIA = (Via.INBOX, Via.SMS)
AT = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
CASE: Facts = {
    "number": "261123-7K3F",
    "item": Words.named("路灯报修", "Street light repair"),
    "handler": Words.named("胜利社区服务站", "Shengli Station"),
    "due": AT,
    "tracking": "a1b2c3",
}
ADVICE: Facts = {
    "advice": Words.named("开窗，到室外，再拨打119。" * 4, "Open windows, go outside, then ring 119. " * 4),
    "advice_short": Words.named(
        "勿开关电器、勿点火，开窗离开后拨打119。" * 2, "Touch no switch, go outside, then ring 119. " * 3
    ),
}
FACTS: dict[str, Facts] = {
    "sign-in-code": {"code": "402913", "until": AT},
    "new-device": {"at": AT},
    "phone-changed": {"at": AT},
    "session-copied": {"at": AT},
    "session-ended-elsewhere": {"at": AT},
    "roster-gap": {"place": Words.named("正阳街道", "Zhengyang"), "system": "governance", "start": AT, "end": AT},
    "team-joined": {"team": Words.named("巾帼队")},
    "case-called": {**CASE, "next": AT},
    "nobody-on-call": {**CASE, "place": "place"},
    "nobody-at-top": {**CASE, "place": "place"},
    "danger-escalated-to-you": {**CASE, "level": "city"},
    "case-paused": {**CASE, "because": "parts"},
    "case-paused-for-staff": {**CASE, "because": "weather"},
    "case-went-up": {**CASE, "level": "county", "because": "unaccepted"},
    "case-resolved": {**CASE, "words": "已修好"},
    "case-rejected": {**CASE, "words": "不属于社区事务"},
    "comment-from-staff": {**CASE, "words": "明天来修"},
    "case-returned": {**CASE, "times": 1},
    "case-returned-again": {**CASE, "times": 2},
    "case-reopened": {**CASE, "times": 1},
    "case-urged": {**CASE, "times": 3},
    "case-rated": {**CASE, "score": 5},
    "case-escalated": {**CASE, "level": "city", "because": "overdue"},
    "case-filed-in-danger": {**CASE, **ADVICE},
    "case-filed-unassigned-in-danger": {**CASE, **ADVICE},
    "case-escalated-to-you": {**CASE, "level": "city", "because": "overdue"},
}


def written(name: str, language: str, facts: Facts, via: Collection[Via] = VIA) -> Written:
    """A text of a template."""
    return write(TEXTS, ZONE, name, language, Said(facts, facts), short=Via.SMS in via)


@pytest.mark.parametrize("language", TEXTS.languages)
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_text_can_be_written(language: str, name: str) -> None:
    text = written(name, language, FACTS.get(name, CASE))
    assert text.sms is not None
    for part in (text.title, text.body, text.sms):
        assert part
        assert "None" not in part
        assert "{" not in part
    assert "\n" not in text.title + text.sms
    assert len(text.sms) <= (140 if language == "zh" else 320)


def test_every_rule_has_its_texts_and_no_text_is_left_over() -> None:
    sections = {section(template) for template in TEMPLATES}
    assert {one for one in TEXTS.sections() if one.startswith(section(""))} == sections
    assert all(TEXTS.keys(one) == {"title", "body", "sms"} for one in sections)


def test_what_is_not_known_yet_is_said_in_words() -> None:
    unset = {**CASE, "handler": "handler", "due": "due"}
    assert "our staff has it, to be done by a time to be set" in (written("case-filed", "en", unset).sms or "")


def test_a_notice_is_written_in_another_language_by_one_more_file(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "mn.toml").write_text('[notify.notices.team-joined]\ntitle = "{team} танд баярлалаа"', "utf-8")
    texts = load(("services.contracts", "services.notify"), tmp_path)
    team = Words.model_validate({"zh": "队", "mn": "баг"})
    text = write(texts, ZONE, "team-joined", "mn", Said({"team": team}, {"team": team}), short=True)
    assert text.title == "баг танд баярлалаа"
    said = Said({"team": "баг"}, {"team": "баг"})
    assert text.body == write(texts, ZONE, "team-joined", "en", said, short=True).body


def test_times_are_shown_by_the_clock_of_the_city() -> None:
    assert "2026年11月23日18:05" in written("case-filed", "zh", CASE, VIA).body
    assert "23 November 2026, 18:05" in written("case-filed", "en", CASE, VIA).body


def test_a_missing_fact_is_an_error_and_never_a_gap() -> None:
    with pytest.raises(KeyError, match=r"handler|item|due|tracking"):
        written("case-filed", "zh", {"number": "1"})


def test_what_people_wrote_is_never_taken_for_a_template() -> None:
    words = "{{ number.__class__ }} {% for x in y %} $where"
    assert words in written("case-resolved", "zh", {**CASE, "words": words}, VIA).body


def test_a_name_without_english_is_shown_in_chinese() -> None:
    assert "巾帼队" in written("team-joined", "en", {"team": Words.named("巾帼队")}, VIA).title


def test_the_short_line_is_written_only_where_it_is_sent() -> None:
    assert written("case-filed", "zh", CASE, (Via.INBOX, Via.EMAIL)).sms is None
