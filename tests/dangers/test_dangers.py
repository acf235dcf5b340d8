"""Words of danger: those in danger are found in every way of speaking, those who are not are left alone, and fast."""

import time
from functools import partial

import pytest

from services.chassis.domain.phrases import Phrases, PhraseUnfit, plain
from services.requests.dangers.model import MOST
from tests.dangers.measuring import DANGERS, alarming, alarms, kinds, missed, sentences
from tests.requests.labelled import ENTRIES, real_messages
from tests.support.work import lines_run


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("家里着火了快来", "fire"),
        ("有人触电了", "electric-shock"),
        ("我想跳楼", "self-harm"),
        ("老公打我", "violence-at-home"),
        ("小孩掉井里了", "well"),
        ("我爸晕倒了", "medical"),
        ("煤氣洩漏 救命", "gas"),
        ("gas leak in my flat", "gas"),
        ("煤气漏了", "gas"),
        ("ＧＡＳ　ＬＥＡＫ！", "gas"),
        ("着 火 了", "fire"),
        ("我想死", "self-harm"),
        ("救命啊", "help"),
    ],
)
def test_words_of_danger_are_found(words: str, kind: str) -> None:
    assert kind in kinds(words)


@pytest.mark.parametrize(
    "words",
    [
        "火锅店",
        "消防通道被占",
        "灭火器过期",
        "火车站",
        "煤气费怎么交",
        "学校请人讲防触电知识",
        "笑死我了",
        "想死你了",
        "跳楼价",
        "dying to see it",
        "a killer app",
        "打我电话",
        "饭店的抽风机太吵",
        "读书压力大得喘不过气",
        "一旦发生火灾后果不堪设想",
        "去年家里着火了",
        "",
        "？？！",
    ],
)
def test_words_that_only_sound_like_danger_are_not(words: str) -> None:
    assert kinds(words) == []


def test_nearly_all_sentences_in_danger_are_found_and_hardly_one_that_is_not() -> None:
    unseen, looked_at = sentences("unseen"), sentences("looked-at")
    assert (len(unseen.danger), {one.style for one in unseen.danger}) == (60, {"zh", "traditional", "spoken", "en"})
    assert len(unseen.harmless) >= 40
    assert len(missed(unseen)) <= 3, missed(unseen)
    assert len(missed(looked_at)) <= 6, missed(looked_at)
    assert (alarming(unseen), alarming(looked_at)) == ([], [])


def test_of_real_messages_less_than_one_in_a_hundred_raises_an_alarm() -> None:
    path = real_messages()
    if path is None:
        pytest.skip("no ledger of real messages here (LINLI_MESSAGES)")
    found = alarms(path)
    assert found.messages == 2816
    assert found.unjudged == []
    assert len(found.false) <= 20
    assert len(found.true) >= 5


def test_a_cry_for_help_counts_where_nothing_else_is_said_and_no_more_than_three_kinds_are_named() -> None:
    assert kinds("救命，家里着火了") == ["fire"]
    everything = "着火了。煤气漏了。有人触电了。房子塌了。孩子掉井里了。我爸晕倒了。"
    assert kinds(everything) == ["fire", "gas", "electric-shock"]
    assert len(kinds(everything)) == MOST


def test_title_and_text_are_looked_through_each_for_itself() -> None:
    assert kinds("着火", "了") == kinds("着火")
    assert kinds("普通的事", "我爸晕倒了") == ["medical"]


def test_every_kind_has_a_sentence_and_says_whom_to_ring_in_two_languages() -> None:
    found = {one.kind for name in ("unseen", "looked-at") for one in sentences(name).danger}
    for kind in (one.danger for one in DANGERS._kinds):
        assert kind.code in found
        assert all(any(number in text for number in kind.numbers) for text in (kind.advice.zh, kind.advice.en))
        assert all(any(number in text for number in kind.numbers) for text in (kind.short.zh, kind.short.en))
        assert (len(kind.short.zh) <= 40, len(kind.short.en) <= 100) == (True, True), kind.code


def test_the_longest_text_is_looked_through_at_once() -> None:
    text = "".join(one.text for name in ("looked-at", "unseen") for one in sentences(name).danger)
    harmless = "".join(f"{one}，" for one in sentences("looked-at").harmless)
    began = time.process_time()
    DANGERS.find((harmless * 4)[:4000])
    assert time.process_time() - began < 0.5
    half, whole = (lines_run(partial(DANGERS.find, (text * 2)[:size])) for size in (1000, 2000))
    assert whole <= half * 3


LISTS = {"child": ("孩子", "小孩")}


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("着火(了|啦)", "着火啦", "着火啦"),
        ("着火(了|)", "着火", "着火"),
        ("{child}…井", "小孩掉到井里", "小孩掉到井"),
        ("{child}…井", "小孩来了，井盖丢了", None),
        ("{child}……没回来", "孩子放学，还没回来", "孩子放学,还没回来"),
        ("{child}……没回来", "孩子走了。还没回来", None),
        ("想死$", "我想死，真的", "想死"),
        ("想死$", "我想死你了", None),
        ("^help me", "Help me!", "help me"),
        ("^help me", "they help me with it", None),
        ("gas", "GAS!", "gas"),
        ("gas", "gastank", None),
        ("#度", "四十度 40度", "40度"),
        ("漏氣", "漏气", "漏气"),
    ],
)
def test_a_phrase_fits_what_it_says(phrase: str, text: str, found: str | None) -> None:
    first = next(Phrases.of([phrase], LISTS).find(plain(text)), None)
    assert (first and first.group()) == found


@pytest.mark.parametrize("phrase", ["(a", "a)", "(|)", "…", "{nobody}", "$", "a{", "}"])
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseUnfit):
        Phrases.of([phrase], LISTS)


def test_what_is_blotted_out_leaves_all_else_in_its_place() -> None:
    assert Phrases.of(["火锅"], {}).blot("吃火锅着火") == "吃**着火"


CATALOGUE_FINDS = {
    "煤气漏了": "GOV-GAS-LEAK",
    "家里着火了快来": "GOV-FIRE",
    "我想跳楼": "HEA-MENTAL",
    "老公打我": "GOV-DOMESTIC",
    "小孩掉井里了": "GOV-MANHOLE",
    "我爸晕倒了": "HEA-AMBULANCE",
    "gas leak in my flat": "GOV-GAS-LEAK",
}


@pytest.mark.parametrize(("words", "item"), CATALOGUE_FINDS.items())
def test_the_item_for_a_danger_is_one_that_the_city_offers(words: str, item: str) -> None:
    assert [one.danger.items[0] for one in DANGERS.find(words)] == [item]
    assert item in {one.code for one in ENTRIES}
