"""Words of danger: those in danger are found in every way of speaking, those who are not are left alone, and fast."""

import time
from functools import partial

import pytest

from services.chassis.domain.phrases import Phrases, PhraseUnfit, plain
from services.requests.dangers.model import MOST
from tests.dangers.measuring import DANGERS, alarming, alarms, kinds, missed, sentences, wrapped
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
        ("未成年人溺水了", "drowning"),
        ("社会福利院着火了", "fire"),
        ("别人家着火了快来", "fire"),
        ("等不及了孩子没呼吸了", "medical"),
        ("我家可能煤气泄漏了", "gas"),
        ("举报有人持刀抢劫", "crime"),
        ("我妈刚出院回家又晕倒了", "medical"),
        ("我爸刚做完手术现在没有呼吸了", "medical"),
        ("法院门口有人拿刀砍人", "crime"),
        ("my mother had a heart attack", "medical"),
        ("he has been stabbed", "crime"),
        ("i think there may be a gas leak", "gas"),
        ("my husband beats me", "violence-at-home"),
        ("he beats me every night", "violence-at-home"),
        ("突发火灾", "fire"),
        ("着火爆炸了", "fire"),
        ("楼上火苗窜出来了", "fire"),
        ("失火车里还有孩子", "fire"),
        ("老人晕车里了", "medical"),
        ("有人落水", "drowning"),
        ("有人砍人", "crime"),
        ("他又打我了", "violence-at-home"),
        ("他掐住我脖子", "violence-at-home"),
        ("孩子锁车里了", "trapped"),
        ("变压器冒火花", "fire"),
        ("屋里一股臭鸡蛋味", "gas"),
        ("摔断腿了", "medical"),
        ("血流了一地", "medical"),
        ("地震了", "earthquake"),
        ("there's smoke in the corridor", "fire"),
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
        "2014年邻居家着火了",
        "孩子户口丢了",
        "孩子丢了学生证怎么补办",
        "老婆要生了，生育津贴怎么领",
        "我爸没回来过年养老金怎么办",
        "你们快来人修路灯吧",
        "邻居家烧炕",
        "missing child support payments",
        "lost person id card",
        "my kid is stuck with homework",
        "it beats me why the bus is late",
        "领导冲我发火",
        "晕车药在哪买",
        "道路随着火车站开通更堵了",
        "",
        "？？！",
    ],
)
def test_words_that_only_sound_like_danger_are_not(words: str) -> None:
    assert kinds(words) == []


def test_nearly_all_sentences_in_danger_are_found_and_hardly_one_that_is_not() -> None:
    seen, looked_at = sentences("seen"), sentences("looked-at")
    assert (len(seen.danger), {one.style for one in seen.danger}) == (60, {"zh", "traditional", "spoken", "en"})
    assert len(seen.harmless) >= 40
    assert len(missed(seen)) <= 3, missed(seen)
    assert len(missed(looked_at)) <= 6, missed(looked_at)
    assert (alarming(seen), alarming(looked_at)) == ([], [])


def test_of_sentences_that_were_never_mended_no_fewer_are_found_than_at_their_first_reading() -> None:
    fresh = sentences("fresh")
    assert (len(fresh.danger), len(fresh.harmless)) == (50, 20)
    assert len(missed(fresh)) <= 20, missed(fresh)
    assert len(alarming(fresh)) <= 1, alarming(fresh)


@pytest.mark.parametrize("words", wrapped())
def test_words_around_a_danger_that_change_nothing_of_it_take_no_advice_away(words: str) -> None:
    lost = [one.text for one in wrapped()[words] if not kinds(one.text)]
    assert len(lost) <= 1, lost


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
    found = {one.kind for name in ("seen", "looked-at") for one in sentences(name).danger}
    for kind in (one.danger for one in DANGERS._kinds):
        assert kind.code in found
        assert all(any(number in text for number in kind.numbers) for text in (kind.advice.zh, kind.advice.en))
        assert all(any(number in text for number in kind.numbers) for text in (kind.short.zh, kind.short.en))
        assert all(line not in text for line in ("12356", "12338") for text in (kind.short.zh, kind.short.en))
        assert (len(kind.short.zh) <= 40, len(kind.short.en) <= 100) == (True, True), kind.code


def test_the_longest_text_is_looked_through_at_once() -> None:
    text = "".join(one.text for name in ("looked-at", "seen") for one in sentences(name).danger)
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
