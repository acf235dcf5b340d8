"""Suggesting an item: the resident's own words lead to the right service, always to some, and fast."""

import gzip
import json
from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.spelling import spelled
from services.requests.suggestions.model import LIMIT, Entry, TermIndex, build, suggest
from tests.requests.labelled import CATALOGUE, ENTRIES, INDEX, labelled, real_messages, scores
from tests.support.work import lines_run

GENERAL = {item.code for item in CATALOGUE.items if item.general}

SMALL = build(
    [
        Entry("ROAD", "道路维修", ("路面", "坑洼", "维修")),
        Entry("LAMP", "路灯照明", ("路灯", "维修")),
        Entry("LIFT", "电梯安全", ("电梯", "KTV")),
        Entry("OTHER", "其他诉求", ("路灯",), general=True),
    ]
)


def codes(index: TermIndex, text: str, title: str = "") -> list[str]:
    return [one.code for one in suggest(index, text, title)]


def test_the_item_whose_words_are_used_is_suggested_with_the_words() -> None:
    (first, *_) = suggest(SMALL, "小区门口的路面坑洼不平")
    assert (first.code, set(first.why)) == ("ROAD", {"路面", "坑洼"})


def test_a_rarer_word_counts_more() -> None:
    assert codes(SMALL, "维修路面")[:2] == ["ROAD", "LAMP"]


def test_the_title_counts_more_than_the_text() -> None:
    assert codes(SMALL, "路面路面", title="路灯")[0] == "LAMP"


def test_the_end_of_a_title_counts_more_than_its_beginning() -> None:
    assert codes(SMALL, "", title="坑洼旁边的电梯")[0] == "LIFT"
    assert codes(SMALL, "", title="电梯旁边的坑洼")[0] == "ROAD"


def test_a_general_item_does_not_lead_where_something_particular_is_said() -> None:
    assert codes(SMALL, "路灯") == ["LAMP", "OTHER"]


def test_letters_match_in_either_case() -> None:
    assert codes(SMALL, "楼下ktv")[0] == "LIFT"


def test_a_sensible_text_without_a_known_word_gets_the_general_items() -> None:
    (only,) = suggest(SMALL, "我想问一件事情")
    assert (only.code, only.score, only.why) == ("OTHER", 0.0, ())


@pytest.mark.parametrize("text", ["", "   ", "？？！", "啊啊啊啊啊啊", "asdfgh", "98765 43210", "……"])
def test_a_text_that_says_nothing_gets_nothing(text: str) -> None:
    assert suggest(INDEX, text) == []


def test_the_order_of_the_catalogue_does_not_matter() -> None:
    text = "业主反映小区电梯经常停运，物业公司只管收物业费"
    assert suggest(build(reversed(ENTRIES)), text) == suggest(INDEX, text)


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_at_all_is_answered_within_the_rules(text: str, title: str) -> None:
    found = suggest(INDEX, text, title)
    assert found == suggest(INDEX, text, title)
    assert len(found) <= LIMIT
    assert len({one.code for one in found}) == len(found)
    assert found == sorted(found, key=lambda one: (-one.score, one.code))
    assert all(word in spelled(title + "\n" + text) for one in found for word in one.why)


@given(st.lists(st.sampled_from(sorted({word for entry in ENTRIES for word in entry.keywords})), min_size=1))
def test_a_text_with_a_known_word_is_never_left_without_an_item(words: list[str]) -> None:
    assert suggest(INDEX, "，".join(words))


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("家里暖气不热，室温只有十四度", "GOV-HEATING"),
        ("楼道里闻到煤气味", "GOV-GAS-LEAK"),
        ("物业费上涨没有征求意见", "GOV-PROPERTY-FEES"),
        ("希望给路口装红绿灯", "GOV-SIGNALS"),
        ("草场围栏被邻近牧户移动", "GOV-GRASSLAND"),
        ("老板拖欠农民工工资", "LAB-WAGE"),
        ("怎么办理低保", "LAB-DIBAO"),
        ("孩子上小学划片问题", "CUL-ENROL"),
        ("老师周末有偿补课", "CUL-MAKEUP"),
        ("给孩子打疫苗去哪里", "HEA-VACCINE"),
        ("烧烤店油烟熏人", "GOV-FUMES"),
        ("公交车末班车太早", "GOV-BUS-ROUTE"),
        ("独居老人没人照料，希望有人探访", "LAB-ELDER-VISIT"),
        ("隔壁邻居漏水不管，请社区调解", "GOV-MEDIATE"),
        ("小區路燈壞了", "GOV-STREETLIGHT"),
        ("暖氣不熱", "GOV-HEATING"),
        ("ＫＴＶ半夜噪音", "GOV-NOISE-BUSINESS"),
    ],
)
def test_everyday_matters_find_their_item(title: str, code: str) -> None:
    assert codes(INDEX, "", title)[0] == code


def test_every_item_is_found_by_its_own_name() -> None:
    lost = [item.code for item in CATALOGUE.items if item.code not in codes(INDEX, "", item.name.zh)]
    assert lost == []


def test_the_work_grows_with_the_text_and_no_faster() -> None:
    text = "".join(word for entry in ENTRIES for word in entry.keywords[:12])
    half, whole = (lines_run(partial(suggest, INDEX, (text * 9)[:size], text[:60])) for size in (2000, 4000))
    assert half < whole <= half * 2.2


def test_real_messages_are_nearly_always_given_a_particular_item() -> None:
    path = real_messages()
    if path is None:
        pytest.skip("no ledger of real messages here (LINLI_MESSAGES)")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [suggest(INDEX, one["text"], one["title"]) for one in map(json.loads, lines)]
    assert all(found)
    first = Counter(suggestions[0].code for suggestions in found)
    assert sum(first[code] for code in GENERAL) / len(found) < 0.02
    assert len(first) > 150
    assert max(first.values()) / len(found) < 0.1


def test_of_messages_labelled_by_hand_most_find_their_item_and_nearly_all_their_group() -> None:
    path = real_messages()
    if path is None:
        pytest.skip("no ledger of real messages here (LINLI_MESSAGES)")
    unseen = [message for message in labelled(path) if message.measure]
    found = scores(INDEX, unseen)
    assert len(unseen) == 152
    assert (found.item[0] >= 72, found.item[1] >= 88) == (True, True), found
    assert (found.group[1] >= 92, found.system[0] >= 95) == (True, True), found
