"""Suggestions: how much each word counts, worked by hand on a catalogue of two or three items."""

from math import log

import pytest

from services.requests.suggestions.model import Entry, Suggestion, build, suggest

TWO = build([Entry("LAMP", "路灯", ("照明设施",)), Entry("ROAD", "道路", ("路面",))])
RARE = log(3)
"""What a word of one of two items counts: ln((2 + 1) / 1)."""


def score(text: str, title: str = "", code: str = "LAMP") -> float:
    return {one.code: one.score for one in suggest(TWO, text, title)}.get(code, 0.0)


def test_a_longer_word_counts_by_the_three_quarters_power_of_its_length() -> None:
    assert score("路灯") == round(2**0.75 * RARE, 3)
    assert score("照明设施") == round(4**0.75 * RARE, 3)


def test_a_word_that_is_in_the_words_of_more_items_counts_less() -> None:
    index = build([Entry("A", "路灯", ()), Entry("B", "路灯照明", ()), Entry("C", "电梯", ())])
    (first, *_) = suggest(index, "路灯坏了，快来")
    assert (first.code, first.score) == ("A", round(2**0.75 * log(4 / 2), 3))


def test_a_word_said_again_counts_by_the_logarithm() -> None:
    assert score("路灯，路灯，路灯") == round(2**0.75 * RARE * (1 + log(3)), 3)


def test_each_further_word_of_an_item_adds_less() -> None:
    strong, weak = 4**0.75 * RARE, 2**0.75 * RARE
    assert score("路灯，照明设施") == score("照明设施，路灯") == round(strong + 0.85 * weak, 3)
    (only,) = suggest(TWO, "路灯，照明设施")
    assert only.why == ("照明设施", "路灯")


@pytest.mark.parametrize(("title", "place"), [("路灯", 1.0), ("路灯坏了", 0.5), ("路灯坏了，修路灯", 1.0)])
def test_a_title_counts_four_times_and_more_towards_its_end(title: str, place: float) -> None:
    assert score("", title) == round(2**0.75 * RARE * 4 * (1 + 0.6 * (place - 0.5)), 3)


def test_what_is_in_title_and_text_counts_for_both() -> None:
    assert score("路灯", "路灯") == round(2**0.75 * RARE * (1 + 4 * 1.3), 3)


def test_the_words_of_a_general_item_count_a_quarter() -> None:
    index = build([Entry("OTHER", "其他", (), general=True), Entry("LAMP", "路灯", ())])
    assert suggest(index, "其他") == [Suggestion("OTHER", round(0.25 * 2**0.75 * RARE, 3), ("其他",))]


def test_the_item_that_fits_best_leads_whatever_its_code() -> None:
    assert [one.code for one in suggest(TWO, "路灯，道路，路面")] == ["ROAD", "LAMP"]


def test_of_equal_items_the_first_by_code_leads_and_five_are_reported_at_most() -> None:
    index = build([Entry(f"ITEM{number}", f"路灯{number}", ("路灯",)) for number in reversed(range(7))])
    assert [one.code for one in suggest(index, "路灯")] == [f"ITEM{number}" for number in range(5)]


def test_without_a_known_word_the_first_five_general_items_are_reported_without_a_reason() -> None:
    index = build([Entry(f"ITEM{number}", f"事项{number}", (), general=number > 0) for number in range(8)])
    expected = [Suggestion(f"ITEM{number}", 0.0, ()) for number in range(1, 6)]
    assert suggest(index, "甲乙丙丁") == suggest(index, "", "甲乙丙丁") == suggest(index, "丙丁", "甲乙") == expected


@pytest.mark.parametrize(
    ("text", "sensible"),
    [("甲乙丙丁", True), ("甲乙丙", False), ("甲乙丙丙", False), ("one two three four", True), ("a b c d", False)],
)
def test_a_text_of_four_different_words_or_characters_says_something(text: str, *, sensible: bool) -> None:
    index = build([Entry("OTHER", "其他", (), general=True)])
    assert bool(suggest(index, text)) == sensible


def test_words_meet_whatever_their_case_and_wherever_they_stand() -> None:
    index = build([Entry("KTV", "KTV噪音", ("ktv",)), Entry("LAMP", "路灯", ())])
    assert [one.code for one in suggest(index, "楼下Ktv太吵")] == ["KTV"]
    assert [one.code for one in suggest(index, "", "楼下的KTV")] == ["KTV"]
    assert index.heads["kt"] == (3, 5)
    assert index.items["路灯"][0][0] == "LAMP"
    assert index.general == ()
    assert Entry("A", "名", ()).general is False
