"""Templates: in each language everything can be said, and nothing is said with a gap."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError

from services.contracts.notify.messages import Via
from services.notify.app import subjects
from services.notify.templates.model import LANGUAGES, Facts, Names, Texts

TEXTS = Texts.read(ZoneInfo("Asia/Shanghai"))
VIA = (Via.INBOX, Via.SMS)
AT = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)
CASE: Facts = {
    "number": "261123-7K3F",
    "item": Names("路灯报修", "Street light repair"),
    "handler": Names("胜利社区服务站", "Shengli Station"),
    "due": AT,
    "tracking": "a1b2c3",
}
FACTS: dict[str, Facts] = {
    "sign-in-code": {"code": "402913", "until": AT},
    "team-joined": {"team": Names("巾帼队")},
    "case-paused": {**CASE, "words": "等配件"},
    "case-resolved": {**CASE, "words": "已修好"},
    "case-rejected": {**CASE, "words": "不属于社区事务"},
    "comment-from-staff": {**CASE, "words": "明天来修"},
    "case-returned": {**CASE, "times": 1},
    "case-returned-again": {**CASE, "times": 2},
    "case-reopened": {**CASE, "times": 1},
    "case-urged": {**CASE, "times": 3},
    "case-rated": {**CASE, "score": 5},
    "case-escalated": {**CASE, "level": Names("市级", "city"), "because": Names("没有按时办结", "it was late")},
    "case-escalated-to-you": {**CASE, "level": Names("市级", "city"), "because": Names("没有按时办结", "it was late")},
}


@pytest.mark.parametrize(("language", "name"), sorted(TEXTS.names()))
def test_every_text_can_be_written(language: str, name: str) -> None:
    written = TEXTS.write(name, language, FACTS.get(name, CASE), VIA)
    assert written.sms is not None
    for text in (written.title, written.body, written.sms):
        assert text
        assert "None" not in text
        assert "{" not in text
    assert "\n" not in written.title + written.sms
    assert len(written.sms) <= (140 if language == "zh" else 320)


def test_every_rule_has_its_text_in_every_language_and_no_text_is_left_over() -> None:
    assert TEXTS.names() == {
        (language, rule.template) for language in LANGUAGES for one in subjects for rule in one.rules
    }


def test_times_are_told_by_the_clock_of_the_city() -> None:
    assert "2026年11月23日18:05" in TEXTS.write("case-filed", "zh", CASE, VIA).body
    assert "23 November 2026, 18:05" in TEXTS.write("case-filed", "en", CASE, VIA).body


def test_a_missing_fact_is_an_error_and_never_a_gap() -> None:
    with pytest.raises(UndefinedError):
        TEXTS.write("case-filed", "zh", {"number": "1"}, VIA)


def test_what_people_wrote_is_never_taken_for_a_template() -> None:
    words = "{{ number.__class__ }} {% for x in y %} $where"
    assert words in TEXTS.write("case-resolved", "zh", {**CASE, "words": words}, VIA).body


def test_a_name_without_english_is_told_in_chinese() -> None:
    assert "巾帼队" in TEXTS.write("team-joined", "en", {"team": Names("巾帼队")}, VIA).title


def test_the_short_line_is_written_only_where_it_is_sent() -> None:
    assert TEXTS.write("case-filed", "zh", CASE, (Via.INBOX, Via.EMAIL)).sms is None
